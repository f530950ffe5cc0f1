"""Claims of memory for work beside the models: nothing is evicted for one. Pure decisions."""

from inference.core.errors import ModelTooLarge, PoolFull, ServerError
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.memory_ledger import MemoryLedger


def claim_error(name: str, amount: int, ledger: MemoryLedger, *, is_short: bool) -> ServerError | None:
    """Why `amount` bytes cannot be claimed now, and which models have to go first; None if they can."""
    if amount > ledger.limit:
        return ModelTooLarge(
            f"{name} needs {in_gb(amount)} of memory; the limit is {in_gb(ledger.limit)}: raise "
            "MLX_SERVER_MEMORY_LIMIT."
        )
    if is_short:
        return PoolFull(f"The system is short of memory, so there is none for {name} now; try again later.")
    if amount <= ledger.free:
        return None
    missing = amount - ledger.free
    text = (
        f"{name} needs {in_gb(amount)} of memory, and {in_gb(max(0, ledger.free))} of "
        f"{in_gb(ledger.limit)} are free."
    )
    freed, names = 0, []
    for resident in eviction.least_recently_used(ledger.residents):
        if freed < missing:
            names.append(f"{resident.card.id} ({in_gb(resident.bytes)})")
            freed += resident.bytes
    if freed < missing:
        return PoolFull(f"{text} The rest is already claimed; try again later.")
    return PoolFull(f"{text} Unload {_list(names)} first.")


def _list(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last

"""The models that a snapshot of the pool shows: residents, waiting loads and recent failures."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import structs

from inference.core.pool_state import ModelState, ResidentModel
from inference.pool.residency.crash_backoff import CrashBackoff
from inference.pool.residency.resident import Resident


def model_states(
    residents: Iterable[Resident],
    waiting_loads: Iterable[str],
    backoffs: Mapping[str, CrashBackoff],
    now: float,
) -> Iterator[ResidentModel]:
    """Each model with its state, first the residents, then operators' loads that wait, then failures."""
    troubled = dict(backoffs)
    resident_ids = set()
    for resident in residents:
        resident_ids.add(resident.card.id)
        backoff = troubled.pop(resident.card.id, CrashBackoff())
        yield structs.replace(resident.as_model(now), restarts=backoff.restarts, reason=backoff.reason)
    for model_id in waiting_loads:
        if model_id not in resident_ids:
            restarts = troubled.pop(model_id, CrashBackoff()).restarts
            state, reason = ModelState.LOADING, "waiting for memory"
            yield ResidentModel(id=model_id, state=state, restarts=restarts, reason=reason)
    for model_id, backoff in troubled.items():
        if backoff.is_shown(now):
            yield _failed(model_id, backoff, now)


def _failed(model_id: str, backoff: CrashBackoff, now: float) -> ResidentModel:
    is_failed = backoff.is_failed or backoff.is_breaker_open(now)
    return ResidentModel(
        id=model_id,
        state=ModelState.FAILED if is_failed else ModelState.UNLOADED,
        restarts=backoff.restarts,
        retry_in_s=backoff.retry_in_s(now),
        reason=backoff.reason,
    )

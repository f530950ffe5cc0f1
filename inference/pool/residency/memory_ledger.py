"""The resident models and the bytes that they hold together."""

from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.resident import Resident, Stream


class MemoryLedger:
    """The limit, the bytes each model holds, and the bytes that are free."""

    def __init__(self, limit: int, *, is_given: bool = True) -> None:
        self.limit = limit
        self._is_given = is_given
        self._residents: dict[str, Resident] = {}
        self._claims: dict[str, int] = {}

    @property
    def residents(self) -> list[Resident]:
        """A copy made in one step, since snapshots come from other threads."""
        return list(self._residents.values())

    def evictable(self, now: float, min_residency_s: float, *, beside: str = "") -> list[Resident]:
        """The models that may be evicted, `beside` another one, and have been ready for so many seconds."""
        return [
            one
            for one in self.residents
            if one.is_evictable and one.card.id != beside and now - one.ready_at >= min_residency_s
        ]

    def streams(self) -> list[Stream]:
        """The running leases of all models."""
        return [stream for resident in self.residents for stream in resident.streams]

    @property
    def claimed(self) -> int:
        """Bytes of the limit that work beside the models takes, such as quantising one."""
        return sum(self._claims.values())

    def claim(self, name: str, amount: int) -> None:
        self._claims[name] = amount

    def end_claim(self, name: str) -> None:
        self._claims.pop(name, None)

    @property
    def reserved(self) -> int:
        return eviction.reserved(self.residents) + self.claimed

    @property
    def free(self) -> int:
        """Below zero when workers hold more than was predicted."""
        return self.limit - self.reserved

    @property
    def reclaiming(self) -> int:
        return eviction.reclaiming(self.residents)

    def learn_limit(self, device_bytes: int) -> None:
        """Lower the limit to what the device may use, unless the operator set it; 0 means unknown."""
        if not self._is_given and 0 < device_bytes < self.limit:
            self.limit = device_bytes

    def of(self, model_id: str) -> Resident | None:
        return self._residents.get(model_id)

    def holds(self, resident: Resident) -> bool:
        return self.of(resident.card.id) is resident

    def add(self, resident: Resident) -> None:
        self._residents[resident.card.id] = resident

    def remove(self, resident: Resident) -> None:
        if self.holds(resident):
            del self._residents[resident.card.id]

    def __str__(self) -> str:
        return f"free {in_gb(self.free)} of {in_gb(self.limit)}"

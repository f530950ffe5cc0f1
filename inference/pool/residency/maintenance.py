"""Unloads that happen by themselves: idle models expire, and memory that runs short is freed."""

from collections.abc import Collection

from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.memory_pressure import Gauge, MemoryPressure, kernel_level
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident
from inference.pool.residency.unloader import Unloader


class Maintenance:
    """Acts on the time, on the system's memory and on what workers report."""

    def __init__(
        self,
        records: PoolRecords,
        pressure: MemoryPressure,
        unloader: Unloader,
        idle_ttl_s: float,
        gauge: Gauge,
    ) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._pressure = pressure
        self._unloader = unloader
        self._idle_ttl_s = idle_ttl_s
        self._gauge = gauge

    def expire(self, now: float, wanted: Collection[str]) -> None:
        """Unload models that idled for longer than their TTL, except those in `wanted`."""
        for resident in self._evictable():
            ttl = resident.card.idle_ttl_s
            ttl = self._idle_ttl_s if ttl is None else ttl
            if 0 <= ttl <= now - resident.last_used and resident.card.id not in wanted:
                self._unloader.evict(resident, f"its time is {ttl:.0f} s", reason="idle")

    def relieve_pressure(self) -> None:
        """Act on the system's memory: shed prefixes of idle models, then of all, then evict one by one."""
        available, kernel, before = self._gauge(), kernel_level(), self._pressure.level
        if self._pressure.update(available, kernel):
            text = (
                f"memory pressure is {self._pressure.level}, was {before}: {available:.0%} of the system's "
                f"memory is available, the kernel reports {kernel}"
            )
            self._decisions.record("pressure", "", text)
        if self._pressure.is_shedding:
            self._shed(f"the system has {available:.0%} of its memory left")
        if self._pressure.is_evicting and (idle := self._evictable()):
            why = f"the system has {available:.0%} of its memory left"
            self._unloader.evict(idle[0], why, reason="pressure")

    def enforce_limit(self) -> None:
        """Free what workers hold beyond the limit, because they took more than was predicted."""
        excess = -self._ledger.free - self._ledger.reclaiming
        if excess <= 0:
            return
        why = f"models hold {in_gb(self._ledger.reserved)} of {in_gb(self._ledger.limit)}"
        plan = eviction.plan_eviction(self._ledger.residents, self._evictable(), excess)
        self._unloader.apply(plan, why, excess, reason="over_limit")

    def _shed(self, why: str) -> None:
        holding = [resident for resident in self._ledger.residents if resident.sheddable]
        for resident in [one for one in holding if one.is_idle] or holding:
            self._unloader.shed(resident, resident.sheddable, why)

    def _evictable(self) -> list[Resident]:
        return list(eviction.least_recently_used(one for one in self._ledger.residents if one.is_evictable))

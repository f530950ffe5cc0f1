"""How models leave memory: eviction, draining, and the end of their workers."""

import logging
from collections.abc import Callable, Iterable

from inference.core.pool_state import EvictionReason, ModelState
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident

logger = logging.getLogger(__name__)


class Unloader:
    """Carries out evictions and unloads; `on_change` is called whenever a worker's bytes are free again.

    An eviction takes these steps:

    1. The model is marked as draining: it takes no more streams.
    2. Its last stream ends; an idle model has none.
    3. Its worker is stopped.
    4. Its bytes leave the ledger, and the scheduler is called again.
    """

    def __init__(self, records: PoolRecords, tasks: BackgroundTasks, on_change: Callable[[], None]) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._clock = records.clock
        self._tasks = tasks
        self._on_change = on_change

    def apply(
        self,
        plan: eviction.EvictionPlan[Resident],
        why: str,
        needed: int = 0,
        *,
        reason: EvictionReason = "memory",
    ) -> None:
        """Shed and evict as planned."""
        for resident, amount in plan.sheds:
            self.shed(resident, amount, why, needed)
        for victim in plan.victims:
            self.evict(victim, why, reason=reason, needed=needed)

    def shed(self, resident: Resident, amount: int, why: str, needed: int = 0) -> None:
        """Ask a worker to drop `amount` bytes of its prefix cache."""
        name, keep = resident.card.id, resident.sheddable - amount
        text = f"shed {in_gb(amount)} of prefixes of {name}: {why}"
        self._decisions.record("shed", name, text, needed_bytes=needed)
        resident.shed(keep, self._clock())

    def drop_loras(self, holders: Iterable[Resident], wanted: str, missing: int, why: str) -> None:
        """Have workers drop idle adapters until `missing` bytes are freed; never the wanted one."""
        for resident in eviction.least_recently_used(holders):
            names: list[str] = []
            for name, size in resident.idle_loras(wanted).items():
                if missing > 0:
                    names.append(name)
                    missing -= size
            if names:
                text = f"dropped adapters of {resident.card.id} ({', '.join(names)}): {why}"
                self._decisions.record("shed", resident.card.id, text)
                resident.drop_loras(tuple(names))

    def evict(self, resident: Resident, why: str, *, reason: EvictionReason, needed: int = 0) -> None:
        """Unload an idle model, and record why."""
        kind = "expired" if reason == "idle" else "evicted"
        idle_s = self._clock() - resident.last_used
        text = f"{kind} {resident.card.id}: idle {idle_s:.0f} s; {why}"
        self._decisions.record(
            kind, resident.card.id, text, reason=reason, needed_bytes=needed, seconds=idle_s
        )
        self.drain(resident)

    def drain(self, resident: Resident) -> None:
        """Take no more streams, and end the worker once the last one is over."""
        resident.state = ModelState.DRAINING
        self.stop_if_drained(resident)

    def stop_if_drained(self, resident: Resident) -> None:
        """End the worker of a draining model without streams."""
        if resident.is_leaving and resident.leases == 0 and not resident.has_been_stopped:
            resident.has_been_stopped = True
            self._tasks.spawn(self.unload(resident))

    async def unload(self, resident: Resident) -> None:
        """Stop the worker and free its bytes; then the scheduler is called."""
        await self.free(resident)
        self._on_change()

    async def free(self, resident: Resident) -> None:
        """Stop the worker and take its bytes from the ledger, also where stopping it failed."""
        try:
            await self.stop(resident)
        finally:
            self._ledger.remove(resident)

    async def stop(self, resident: Resident) -> None:
        """Stop the worker; a failure is logged, and the pool goes on without that worker."""
        try:
            await resident.runner.stop()
        except Exception:
            logger.exception("The worker of %s could not be ended", resident.card.id)

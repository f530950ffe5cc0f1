"""What happens by itself, once a second: idle models expire, and memory that runs short is given back.

So does a model that no request can reach any more, for its folder was deleted or cannot be served as it is
now: it would hold its memory until somebody wondered where that is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.threads import CATALOG
from inference.core.units import in_gb
from inference.pool.residency import eviction
from inference.pool.residency.loader import Loader
from inference.pool.residency.memory_pressure import Gauge, Gauged, kernel_level
from inference.pool.residency.resident import Resident

_LOOK_EVERY_S = 5.0  # at the folders of what is in memory; a folder that is replaced is away for a moment


class Maintenance:
    """Acts on the time, on the system's memory and on what workers report."""

    def __init__(
        self,
        loader: Loader,
        *,
        idle_ttl_s: float,
        gauge: Gauge,
        find_card: Callable[[str], ModelCard | None],
    ) -> None:
        self._gauge = gauge
        self._loader = loader
        self._room = loader.room
        self._idle_ttl_s = idle_ttl_s
        self.pressure = Gauged()
        self._find_card = find_card
        self._looked_at = float("-inf")
        self._is_looking = False
        self._lost: Mapping[str, str] = {}  # at the last look: why no request can reach these

    def expire(self, now: float, wanted: Collection[str]) -> None:
        """Unload models whose time is over; not those that somebody waits for."""
        for resident in self._evictable():
            ttl = resident.card.idle_ttl_s
            ttl = self._idle_ttl_s if ttl is None else ttl
            if 0 <= ttl <= now - resident.last_used and resident.card.id not in wanted:
                self._loader.evict(resident, f"its time is {ttl:.0f} s", kind="expired")

    def feel_pressure(self) -> None:
        """Act on the system's memory: shed prefixes of idle models, then of all, then evict one by one."""
        available, kernel, before = self._gauge(), kernel_level(), self.pressure.level
        if self.pressure.update(available, kernel):
            text = (
                f"memory pressure is {self.pressure.level}, was {before}: {available:.0%} of the system's "
                f"memory is available, the kernel says {kernel}"
            )
            self._loader.history.record("pressure", "", text)
        if self.pressure.is_shedding:
            self._shed(f"the system has {available:.0%} of its memory left")
        if self.pressure.is_evicting and (idle := self._evictable()):
            self._loader.evict(idle[0], f"the system has {available:.0%} of its memory left")

    def look_at_folders(self, now: float) -> None:
        """Send away, every few seconds, what two looks in a row found to be out of reach."""
        names = [one.card.id for one in self._room.residents if one.state == ModelState.READY]
        if names and now - self._looked_at >= _LOOK_EVERY_S and not self._is_looking:
            self._looked_at, self._is_looking = now, True
            self._loader.spawn(self._look_at_folders(names))

    async def _look_at_folders(self, names: Sequence[str]) -> None:
        try:
            lost = await CATALOG.run(self._why_lost, names)
        finally:
            self._is_looking = False
        for resident in self._room.residents:
            name = resident.card.id
            if name in lost and name in self._lost and resident.state == ModelState.READY:
                text = f"unloaded {name}: {lost[name]}; it held {in_gb(resident.bytes)}"
                self._loader.history.record("unloaded", name, text)
                self._loader.send_away(resident)  # once its last stream has ended
        self._lost = lost

    def _why_lost(self, names: Sequence[str]) -> dict[str, str]:
        """Why no request can reach these models any more; it reads the catalog."""
        lost = {}
        for name in names:
            card = self._find_card(name)
            if card is None or card.id != name:  # another model may have it as an alias
                lost[name] = "its folder is gone"
            elif not card.is_servable:
                lost[name] = f"it can be served no more: {card.problem}"
        return lost

    def relieve(self) -> None:
        """Give back what workers hold beyond the limit, since they took more than was predicted."""
        excess = -self._room.free - self._room.coming
        if excess <= 0:
            return
        why = f"models hold {in_gb(self._room.reserved)} of {in_gb(self._room.limit)}"
        plan = eviction.plan_eviction(self._room.residents, self._evictable(), excess)
        self._loader.carry_out(plan, why, excess)

    def _shed(self, why: str) -> None:
        holding = [resident for resident in self._room.residents if resident.sheddable]
        for resident in [one for one in holding if one.is_idle] or holding:
            self._loader.shed(resident, resident.sheddable, why)

    def _evictable(self) -> list[Resident]:
        return list(eviction.least_recently_used(one for one in self._room.residents if one.is_evictable))

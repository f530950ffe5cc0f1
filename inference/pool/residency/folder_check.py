"""The unload of resident models that no request can reach any more.

The folder of such a model was deleted, or cannot be served as it is now. Without this check the model would
hold its memory with no visible reason.
"""

from collections.abc import Callable, Mapping

from inference.core.model_card import ModelCard
from inference.core.pool_state import ModelState
from inference.core.threads import CATALOG
from inference.core.units import in_gb
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.unloader import Unloader

_FOLDER_GONE = "its folder no longer exists"
_REMOTE_GONE = "no other server serves it any more"
_CHECK_EVERY_S = 5.0  # a folder that is replaced is missing for a moment


class FolderCheck:
    """Looks up the resident models in the catalog every few seconds."""

    def __init__(
        self,
        records: PoolRecords,
        unloader: Unloader,
        tasks: BackgroundTasks,
        find_card: Callable[[str], ModelCard | None],
    ) -> None:
        self._ledger = records.ledger
        self._decisions = records.decisions
        self._unloader = unloader
        self._tasks = tasks
        self._find_card = find_card
        self._checked_at = float("-inf")
        self._is_checking = False
        self._unreachable: Mapping[str, str] = {}  # models and reasons, as of the last check

    def start_if_due(self, now: float) -> None:
        """Drain, every few seconds, the models that two checks in a row found unreachable."""
        ready = [one.card for one in self._ledger.residents if one.state == ModelState.READY]
        names = {card.id: _REMOTE_GONE if card.is_remote else _FOLDER_GONE for card in ready}
        if names and now - self._checked_at >= _CHECK_EVERY_S and not self._is_checking:
            self._checked_at, self._is_checking = now, True
            self._tasks.spawn(self._drain_unreachable(names))

    async def _drain_unreachable(self, names: Mapping[str, str]) -> None:
        try:
            reasons = await CATALOG.run(self._unreachable_reasons, names)
        finally:
            self._is_checking = False
        for resident in self._ledger.residents:
            name = resident.card.id
            if name in reasons and name in self._unreachable and resident.state == ModelState.READY:
                text = f"unloaded {name}: {reasons[name]}; it held {in_gb(resident.bytes)}"
                self._decisions.record("unloaded", name, text, reason="unservable")
                self._unloader.drain(resident)
        self._unreachable = reasons

    def _unreachable_reasons(self, names: Mapping[str, str]) -> dict[str, str]:
        """Why no request can reach these models any more; `names` has what it means if one is gone."""
        reasons = {}
        for name, gone in names.items():
            card = self._find_card(name)
            if card is None or card.id != name:  # another model may have it as an alias
                reasons[name] = gone
            elif not card.is_servable:
                reasons[name] = f"it can no longer be served: {card.problem}"
        return reasons

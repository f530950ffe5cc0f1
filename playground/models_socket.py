"""The websocket that keeps the playground's list of models live."""

from collections.abc import Sequence
from typing import Any

from inference.accounts.permissions import Account, may_manage
from inference.api.http.live_socket import LiveModelsSocket
from inference.core.model_card import ModelCard
from inference.serving import live_downloads, live_models, runtime
from inference.serving.recording.capture_switch import SWITCH
from playground.permission import refusal_of_visitor


class ModelsConsumer(LiveModelsSocket):
    """Sends {"type": "models", "models": [...], "unavailable": [...], "kept_until": 0, "downloads": [...]}.

    `models` are those that can be requested, `unavailable` those that are here and cannot, with the reason.
    `kept_until` is the unix time at which the current capture of prompts and answers ends, 0 without one.
    `downloads` are for visitors who may manage models; others get none.
    """

    _may_manage = False

    def refusal_of(self, user: Account) -> int:
        self._may_manage = may_manage(user)
        return refusal_of_visitor(user)

    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        models = live_models.joined(runtime.pool().fitted(*cards), runtime.pool().snapshot())
        unavailable = live_models.unavailable(cards)
        return {
            "type": "models",
            "models": models,
            "unavailable": unavailable,
            "kept_until": SWITCH.until,
            "downloads": live_downloads.downloads() if self._may_manage else (),
        }

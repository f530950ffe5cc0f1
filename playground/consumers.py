"""The websocket that keeps the playground's list of models live."""

from collections.abc import Sequence
from typing import Any

from inference.accounts.permissions import Account, check_may_chat, visitor
from inference.api.http.live_socket import FORBIDDEN, UNAUTHORISED, LiveModelsSocket
from inference.core.errors import PermissionDenied
from inference.core.model_card import ModelCard
from inference.serving import live_models, runtime
from inference.serving.recording.capture_switch import SWITCH


class ModelsConsumer(LiveModelsSocket):
    """Sends {"type": "models", "models": [...], "unavailable": [...], "kept_until": 0}.

    `models` are those that can be requested, `unavailable` those that are here and cannot, with the reason.
    `kept_until` is the unix time at which the current capture of prompts and answers ends, 0 without one.
    """

    def refusal_of(self, user: Account) -> int:
        if visitor(user) is None:
            return UNAUTHORISED
        try:
            check_may_chat(user)
        except PermissionDenied:
            return FORBIDDEN
        return 0

    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        models = live_models.joined(cards, runtime.pool().snapshot())
        unavailable = live_models.unavailable(cards)
        return {"type": "models", "models": models, "unavailable": unavailable, "kept_until": SWITCH.until}

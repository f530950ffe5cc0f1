"""The websocket that keeps the admin's list of models live."""

from collections.abc import Sequence
from typing import Any

from inference.accounts.permissions import Account, may_look
from inference.admin import model_rows
from inference.api.http.live_socket import FORBIDDEN, UNAUTHORISED, LiveModelsSocket
from inference.core.model_card import ModelCard
from inference.serving import runtime


class ModelListConsumer(LiveModelsSocket):
    """Sends {"type": "rows", "rows": [...]}: each model as the columns of the list show it."""

    def refusal_of(self, user: Account) -> int:
        if not user.is_authenticated:
            return UNAUTHORISED
        return 0 if may_look(user) else FORBIDDEN

    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        return {"type": "rows", "rows": model_rows.rows(cards, runtime.pool().snapshot())}

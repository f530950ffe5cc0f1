"""The websockets that keep the playground live: its list of models, and the visitor's conversations."""

from collections.abc import Sequence
from typing import Any

from inference.accounts.permissions import Account, visitor
from inference.api.http.live_socket import LiveModelsSocket
from inference.core.model_card import ModelCard
from inference.serving import live_models, runtime
from inference.serving.recording.capture_switch import SWITCH
from playground.event_socket import EventSocket, refusal_of_visitor
from playground.live_events import LIVE_EVENTS
from playground.running_answers import RUNNING_ANSWERS


class ModelsConsumer(LiveModelsSocket):
    """Sends {"type": "models", "models": [...], "unavailable": [...], "kept_until": 0}.

    `models` are those that can be requested, `unavailable` those that are here and cannot, with the reason.
    `kept_until` is the unix time at which the current capture of prompts and answers ends, 0 without one.
    """

    def refusal_of(self, user: Account) -> int:
        return refusal_of_visitor(user)

    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        models = live_models.joined(cards, runtime.pool().snapshot())
        unavailable = live_models.unavailable(cards)
        return {"type": "models", "models": models, "unavailable": unavailable, "kept_until": SWITCH.until}


class ConversationsConsumer(EventSocket):
    """Sends what happens to the visitor's conversations:

    - {"type": "answering", "conversations": [ids]}: those in which an answer is in progress now.
    - {"type": "title", "conversation": id, "title": "..."}: the model has written a title.
    - {"type": "conversations"}: the list has changed.
    """

    _owner = ""

    def refusal_of(self, user: Account) -> int:
        principal = visitor(user)
        self._owner = principal.owner if principal else ""
        return refusal_of_visitor(user)

    async def send_changes(self) -> None:
        with LIVE_EVENTS.subscribed(self._owner) as events:
            conversations = RUNNING_ANSWERS.conversations_of(self._owner)
            await self.send_event({"type": "answering", "conversations": conversations})
            await self.pass_on(events)

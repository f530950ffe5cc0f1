"""The websockets that keep the playground live: its list of models, and the visitor's conversations."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from inference.accounts.permissions import Account, check_may_chat, visitor
from inference.api.http.live_socket import (
    FORBIDDEN,
    LOOK_EVERY_S,
    UNAUTHORISED,
    LiveModelsSocket,
    LiveSocket,
)
from inference.core.errors import PermissionDenied
from inference.core.model_card import ModelCard
from inference.serving import live_models, runtime
from inference.serving.recording.capture_switch import SWITCH
from playground.live_events import LIVE_EVENTS
from playground.running_answers import RUNNING_ANSWERS


def _refusal_of(user: Account) -> int:
    """The code for an account that may not chat, else 0."""
    if visitor(user) is None:
        return UNAUTHORISED
    try:
        check_may_chat(user)
    except PermissionDenied:
        return FORBIDDEN
    return 0


class ModelsConsumer(LiveModelsSocket):
    """Sends {"type": "models", "models": [...], "unavailable": [...], "kept_until": 0}.

    `models` are those that can be requested, `unavailable` those that are here and cannot, with the reason.
    `kept_until` is the unix time at which the current capture of prompts and answers ends, 0 without one.
    """

    def refusal_of(self, user: Account) -> int:
        return _refusal_of(user)

    def payload(self, cards: Sequence[ModelCard]) -> dict[str, Any]:
        models = live_models.joined(cards, runtime.pool().snapshot())
        unavailable = live_models.unavailable(cards)
        return {"type": "models", "models": models, "unavailable": unavailable, "kept_until": SWITCH.until}


class ConversationsConsumer(LiveSocket):
    """Sends what happens to the visitor's conversations:

    - {"type": "answering", "conversations": [ids]}: those in which an answer is in progress now.
    - {"type": "title", "conversation": id, "title": "..."}: the model has written a title.
    - {"type": "conversations"}: the list has changed.
    """

    _owner = ""

    def refusal_of(self, user: Account) -> int:
        principal = visitor(user)
        self._owner = principal.owner if principal else ""
        return _refusal_of(user)

    async def send_changes(self) -> None:
        look_at = time.monotonic() + LOOK_EVERY_S
        with LIVE_EVENTS.subscribed(self._owner) as events:
            conversations = RUNNING_ANSWERS.conversations_of(self._owner)
            await self._send_event({"type": "answering", "conversations": conversations})
            while True:
                with contextlib.suppress(TimeoutError):
                    event = await asyncio.wait_for(events.get(), max(0.0, look_at - time.monotonic()))
                    await self._send_event(event)
                if time.monotonic() >= look_at:
                    if refusal := await self.refusal():
                        await self.close(refusal)
                        return
                    look_at = time.monotonic() + LOOK_EVERY_S

    async def _send_event(self, event: dict[str, Any]) -> None:
        await self.send(msgspec.json.encode(event).decode())

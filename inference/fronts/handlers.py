"""What this process does when another front says or asks something, and at the turns of its own life."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

Body = dict[str, Any]
OnMessage = Callable[[Body], object]
OnQuestion = Callable[[Body], Awaitable[Any]]
Source = Callable[[Body], AsyncGenerator[bytes] | None]
OnTurn = Callable[[], Awaitable[None]]


class Handlers:
    """The handlers by the kind of what comes; all are called on the event loop.

    `sources` find what another front wants to read along: None where it is not here any more.
    `on_regained` is called once the Redis answers again, or has lost this front's lease; `on_tick` twice a
    second while it answers.
    """

    def __init__(self) -> None:
        self.messages: dict[str, list[OnMessage]] = {}
        self.questions: dict[str, OnQuestion] = {}
        self.sources: dict[str, Source] = {}
        self.on_regained: list[OnTurn] = []
        self.on_tick: list[OnTurn] = []

    def on(self, kind: str, handler: OnMessage) -> None:
        """Call `handler` for each message of this kind from another front."""
        self.messages.setdefault(kind, []).append(handler)


HANDLERS = Handlers()

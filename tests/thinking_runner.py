"""Fake models that reason until they are asked to answer."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from inference.core.events import Accepted, Ended, Event, Finished, ReasoningDelta, TextDelta, Usage
from inference.core.requests import Request
from tests.fakes import FakeRunner


class EndlessReasoner(FakeRunner):
    """A fake model whose answers may reason without end."""

    def __init__(self, *answers: Any, **options: Any) -> None:
        super().__init__(*answers, **options)
        self._thinking: dict[int, asyncio.Event] = {}  # by the identity of the request, while it reasons

    async def end_thinking(self, request: Request) -> int:
        ended = self._thinking.get(id(request))
        if ended is None:
            return 0
        ended.set()
        return 1

    @contextmanager
    def reasoning(self, request: Request) -> Iterator[asyncio.Event]:
        """While the block runs, this request reasons; the event is set when it is to end that."""
        self._thinking[id(request)] = ended = asyncio.Event()
        try:
            yield ended
        finally:
            del self._thinking[id(request)]


class ThinkingRunner(EndlessReasoner):
    """Reasons piece by piece, and gives the answer 42 once its reasoning is ended, until `hold` is set."""

    def __init__(self, *, hold: asyncio.Event | None = None, piece_s: float = 0.01) -> None:
        super().__init__(hold=hold)
        self._piece_s = piece_s

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        tokens = 0
        with self.reasoning(request) as ended:
            yield Accepted(prompt_tokens=5, max_tokens=100)
            while not ended.is_set():
                yield ReasoningDelta(text="hm ")
                tokens += 1
                await asyncio.sleep(self._piece_s)
        yield TextDelta(text="42")
        if self.hold:
            await self.hold.wait()
        yield Ended(reason="stop")
        usage = Usage(prompt_tokens=5, completion_tokens=tokens + 1, reasoning_tokens=tokens)
        yield Finished(usage=usage)

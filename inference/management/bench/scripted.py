"""A Runner without a model: it generates one word repeatedly, as fast as the site accepts it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from inference.core.events import Accepted, Ended, Event, Finished, TextDelta, Usage
from inference.core.load_progress import OnLoadProgress
from inference.core.model_card import ModelCard
from inference.core.pool_state import DeathReason, Loaded, Memory, RankState
from inference.core.requests import Request
from inference.pool.workers.growths import Growth

MODEL = "scripted"
WORD = " word"
PROMPT_TOKENS = 5


class ScriptedRunner:
    """Each request is accepted, waits at the gate, and then receives `max_tokens` events of one token.

    The gate makes all streams of a round start together. Each stream receives one event per iteration of the
    event loop, as from a worker's steps; events arrive in pairs only if the site falls behind.
    """

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate
        self._ended = asyncio.Event()
        self.pid: int | None = None
        self.ranks: tuple[RankState, ...] = ()
        self.memory = Memory()
        self.device_bytes = 0
        self.end_reason = ""
        self.death_reason: DeathReason = "unknown"
        self.is_late = False

    async def warm_up(self) -> bool:
        return True

    async def load(self, card: ModelCard, on_progress: OnLoadProgress) -> Loaded:
        return Loaded(
            seconds=0.0, memory=self.memory, context_length=card.context_length, vocab_size=2, device="cpu"
        )

    def limit_growth(self, request: Request, growth: Growth) -> None:
        """Its answers never ask for more tokens."""

    async def end_thinking(self, request: Request) -> int:
        """It never reasons."""
        return 0

    def shed(self, keep_bytes: int) -> None:
        """There is nothing to shed."""

    def drop_loras(self, names: tuple[str, ...]) -> None:
        """It has no adapters."""

    def on_memory(self, report: Callable[[Memory], None]) -> None:
        """Its memory never changes."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        tokens = getattr(request, "max_tokens", None) or 1
        word = TextDelta(text=WORD)
        yield Accepted(prompt_tokens=PROMPT_TOKENS, max_tokens=tokens)
        await self._gate.passed()
        for _ in range(tokens):
            await asyncio.sleep(0)
            yield word
        usage = Usage(prompt_tokens=PROMPT_TOKENS, completion_tokens=tokens)
        yield Ended(reason="length")
        yield Finished(usage=usage)

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        self._ended.set()


class Gate:
    """Holds streams until it is opened, and closes again after them."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()

    async def passed(self) -> None:
        await self._opened.wait()

    def open(self) -> None:
        self._opened.set()
        self._opened = asyncio.Event()

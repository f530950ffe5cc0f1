"""The answers of one request: how long they may become, and what is granted of that."""

from dataclasses import dataclass
from typing import Literal

from inference.core.protocol import GrowthWanted
from inference.pool.workers.growths import Growth

# What is reserved beside each prompt, at least: a chat template may write a system message or a preface to
# tools by itself. A request of few tokens would begin paused, and ask for more before it is computed.
_LEAST_SLICE = 256


@dataclass(frozen=True)
class Answers:
    """How many answers a request wants, and the tokens of each at most; None: what the context leaves."""

    count: int
    most: int | None = None

    def tokens(self, each: int) -> int:
        """Tokens of all answers if each has so many, or as many as it may."""
        return self.count * (each if self.most is None else min(each, self.most))

    def spare(self, each: int) -> int:
        """Tokens that are reserved for each prompt beyond its estimate, if its answer has `each` at first."""
        return max(0, _LEAST_SLICE - self.tokens(each) // self.count)


@dataclass(eq=False)
class AnswerGrowth:
    """The answers of a granted lease, which grow until they end.

    A request that runs may want more tokens (`wanted`). One that is pausing was asked to give up its KV
    caches and has not answered; a paused one holds none and waits for what it wants. One that is ending was
    cut short.
    """

    growth: Growth
    state: Literal["running", "pausing", "paused", "ending"] = "running"
    wanted: GrowthWanted | None = None
    paused_at: float = 0.0
    has_waited: bool = False  # paused, and what it wants was not free at once

    @property
    def tokens(self) -> int:
        """What each of its answers may have."""
        return self.growth.tokens

    @property
    def can_pause(self) -> bool:
        """Whether it runs in a worker, and could give up its KV caches."""
        return self.state == "running" and self.growth.orders is not None

    def grant(self, tokens: int) -> None:
        self.wanted, self.state, self.growth.tokens = None, "running", tokens
        if self.growth.orders:
            self.growth.orders.grant(tokens)

    def pause(self) -> None:
        self.wanted, self.state = None, "pausing"
        if self.growth.orders:
            self.growth.orders.pause()

    def cut_short(self) -> None:
        self.wanted, self.state = None, "ending"
        if self.growth.orders:
            self.growth.orders.cut_short()

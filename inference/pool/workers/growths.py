"""The answers of one worker's running requests that may grow, and the orders about them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from inference.core.protocol import CutShort, Grant, GrowthWanted, Pause
from inference.core.requests import Request

Order = Grant | Pause | CutShort


@dataclass(eq=False)
class Growth:
    """How far the answers of a request may grow at first, and who decides about more.

    `tokens` may each of its answers have, and `kv_tokens` are reserved for prompts and answers together.
    """

    tokens: int
    kv_tokens: int
    on_wanted: Callable[[GrowthWanted], None]
    orders: "GrowthOrders | None" = None  # set while a worker computes the request


@dataclass(eq=False)
class GrowthOrders:
    """Orders about one request, by its number in frames; `send` writes a frame."""

    number: int
    send: Callable[[Order], None]
    wish: int = 0  # the latest, which a grant answers
    is_paused: bool = False

    def grant(self, tokens: int) -> None:
        """Let each of its answers have so many tokens, and go on if it is paused."""
        self.is_paused = False
        self.send(Grant(id=self.number, wish=self.wish, tokens=tokens))

    def pause(self) -> None:
        """Have it give up its KV caches; what it wants then is that it is paused."""
        self.send(Pause(id=self.number))

    def cut_short(self) -> None:
        """End its answers where they are."""
        self.is_paused = False
        self.send(CutShort(id=self.number))


@dataclass
class Growths:
    """Requests that may grow, by their numbers in frames."""

    send: Callable[[Order], None]
    _announced: dict[int, tuple[Request, Growth]] = field(default_factory=dict)
    _running: dict[int, Growth] = field(default_factory=dict)

    def announce(self, request: Request, growth: Growth) -> None:
        """Limit a request, which is submitted next."""
        self._announced[id(request)] = (request, growth)

    def open(self, number: int, request: Request) -> dict[str, int]:
        """The limits of a request that is submitted, by the names that they have in Submit."""
        _, growth = self._announced.pop(id(request), (None, None))
        if growth is None:
            return {}
        growth.orders = GrowthOrders(number, self.send)
        self._running[number] = growth
        return {"tokens": growth.tokens, "kv_tokens": growth.kv_tokens}

    def close(self, number: int) -> None:
        """Forget a request that has ended."""
        if growth := self._running.pop(number, None):
            growth.orders = None

    def note(self, wanted: GrowthWanted) -> None:
        """Pass on what a request wants, unless it has ended."""
        growth = self._running.get(wanted.id)
        if growth and growth.orders:
            growth.orders.wish, growth.orders.is_paused = wanted.wish, wanted.is_paused
            growth.on_wanted(wanted)

    @property
    def paused(self) -> int:
        """How many requests wait for a Grant, which is nothing that the worker could be slow with."""
        return sum(1 for one in self._running.values() if one.orders and one.orders.is_paused)

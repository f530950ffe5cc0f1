"""Which address of a model a request goes to: the one that has its prefix, else the least busy."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

import msgspec

from inference.core.requests import ChatRequest, GenerationRequest
from inference.core.upstream import Address
from inference.upstreams.health import Health

_MOST_PREFIXES = 4096
_FIRST_CHARACTERS = 2000  # of a raw prompt
# A cold prefix costs less than to wait behind so many more streams than another address has.
MOST_AHEAD = 4


class Balancer:
    """The health and the streams of every address, and where prefixes went. Lives on the event loop.

    Health may be read and noted in other threads. `clock` counts seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._healths: dict[tuple[str, str], Health] = {}
        self._places: OrderedDict[bytes, tuple[str, str]] = OrderedDict()

    def choose(
        self, addresses: Sequence[Address], prefix: bytes, tried: Collection[Address]
    ) -> Address | None:
        """The best address that was not tried and does not rest; None where there is none."""
        now = self._clock()
        open_ = [one for one in addresses if one not in tried and not self.health_of(one).is_resting(now)]
        if not open_:
            return None
        least = min(open_, key=lambda one: (self.health_of(one).streams, _spread(prefix, one)))
        warm = next((one for one in open_ if one.place == self._places.get(prefix)), None)
        chosen = warm if warm and self._is_near(warm, least) else least
        self._remember(prefix, chosen)
        return chosen

    @contextmanager
    def stream(self, address: Address) -> Iterator[Health]:
        """Count a stream of this address while the block runs."""
        health = self.health_of(address)
        health.streams += 1
        try:
            yield health
        finally:
            health.streams -= 1

    def health_of(self, address: Address) -> Health:
        return self._healths.setdefault(address.place, Health())

    def retry_in_s(self, addresses: Sequence[Address]) -> float:
        """Seconds until the first of them is asked again."""
        now = self._clock()
        return max(0.0, min((self.health_of(one).retry_at - now for one in addresses), default=0.0))

    def status_text(self, address: Address) -> str:
        """The state of an address as a text."""
        health = self._healths.get(address.place)
        return health.status_text(self._clock()) if health else Health().status_text(0.0)

    def note_failure(self, address: Address, reason: str) -> None:
        self.health_of(address).note_failure(self._clock(), reason)

    def note_busy(self, address: Address, pause_s: float) -> None:
        self.health_of(address).note_busy(self._clock(), pause_s)

    def _is_near(self, warm: Address, least: Address) -> bool:
        return self.health_of(warm).streams - self.health_of(least).streams < MOST_AHEAD

    def _remember(self, prefix: bytes, address: Address) -> None:
        self._places[prefix] = address.place
        self._places.move_to_end(prefix)
        if len(self._places) > _MOST_PREFIXES:
            self._places.popitem(last=False)


def prefix_of(request: GenerationRequest, owner: str) -> bytes:
    """What all turns of a conversation have in common: its tools, and messages down to the first question."""
    beginning: object
    if isinstance(request, ChatRequest):
        roles = [message.role for message in request.messages]
        end = roles.index("user") + 1 if "user" in roles else len(roles)
        beginning = [request.tools, request.messages[:end]]
    else:
        beginning = [prompt[:_FIRST_CHARACTERS] for prompt in request.prompts[:1]]
    # In ASCII: a text may have halves of surrogate pairs, which are no UTF-8.
    text = json.dumps(msgspec.to_builtins([request.model, owner, beginning]))
    return sha256(text.encode()).digest()


def _spread(prefix: bytes, address: Address) -> bytes:
    """An order of addresses that differs from prefix to prefix, so that equal ones share the load."""
    return sha256(prefix + repr(address.place).encode()).digest()

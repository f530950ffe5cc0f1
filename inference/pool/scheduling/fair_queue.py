"""The queue of requests, ordered so that accounts share the streams. Pure: takes the time.

Sequences of one batch are computed at the same speed, so the streams that an account has are its share of
the machine. The order is that of a round-robin which begins with what each account already has:

- The rank of a request is the number of answers of its account's earlier requests, whether they run or wait.
  The lowest rank is served first. So an account without streams is served before one with a stream, and
  no account is given a stream while another one that has fewer waits for it.
- Of equal ranks the one is served first whose turn began first: when it came, or when the last of its
  account's earlier requests ended. So accounts take turns (https://www.rfc-editor.org/rfc/rfc970).
- Only earlier requests count. So a rank never rises while a request waits, and once its account's earlier
  ones have ended, at most one request of each other account is served before it: nobody starves.
- Requests of one account, and of a site with one account, are served in the order in which they came.
- An operator's load is nobody's stream. It comes after all that were there before it.

A full queue is shared as well: an account that has more requests in it than the newcomer's loses its latest
one, as a full buffer drops packets of the longest flow (https://www.rfc-editor.org/rfc/rfc8290#section-4.1).
And while several accounts use the site, the last eighth of a model's streams is kept for those that have
none of them, so that one which begins need not wait for the end of others' long answers.
"""

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident, Stream

SEEN_FOR_S = 600.0  # after its last request an account counts as one that uses the site
_KEPT = 8  # one stream in so many is kept for accounts that have none


@dataclass(frozen=True, eq=False)
class QueueOrder:
    """The order of the queue after its change number `version`, beside these streams."""

    version: int
    running: tuple[Stream, ...]
    requests: tuple[PendingLease, ...]
    places: Mapping[PendingLease, int]  # from 1
    ranks: Mapping[PendingLease, int]  # none where only one account waits


class FairQueue:
    """Requests that wait; `running` returns the streams of all models, `clock` is monotonic.

    Each of them asks for its place several times a second, so the order is kept until something changes.
    """

    def __init__(self, running: Callable[[], Iterable[Stream]], clock: Callable[[], float]) -> None:
        self._running = running
        self._clock = clock
        self._pending: deque[PendingLease] = deque()  # as they came
        self.next_turn = itertools.count().__next__
        self._seen: dict[str, float] = {}  # when each account sent its last request
        self._changes = 0  # counted after each, because other threads read the order
        self._order: QueueOrder | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, pending: object) -> bool:
        return pending in self._pending

    def __iter__(self) -> Iterator[PendingLease]:
        return iter(self._ordered().requests)

    def _ordered(self) -> QueueOrder:
        changes, running = self._changes, tuple(self._running())
        order = self._order
        if order is None or order.version != changes or order.running != running:
            arrived = list(self._pending)
            requests = tuple(fair_order(arrived, running))
            places = {pending: place for place, pending in enumerate(requests, start=1)}
            known_ranks = ranks(arrived, running) if _is_shared(arrived) else {}
            order = self._order = QueueOrder(changes, running, requests, places, known_ranks)
        return order

    def add(self, pending: PendingLease) -> None:
        pending.turn = self.next_turn()
        self._pending.append(pending)
        self._changes += 1
        if pending.is_request:
            now = self._clock()
            self._seen = {share: at for share, at in self._seen.items() if now - at < SEEN_FOR_S}
            self._seen[pending.share] = now

    def note_end(self, stream: Stream) -> None:
        """A stream has ended: the turns of its account's later requests begin now."""
        turn = self.next_turn()
        for pending in self._pending:
            if pending.share == stream.share and pending.number > stream.number:
                pending.turn = turn
        self._changes += 1

    def discard(self, pending: PendingLease) -> None:
        """Remove a request, if it waits."""
        if pending in self._pending:
            self._pending.remove(pending)
            self._changes += 1

    def before(self, pending: PendingLease) -> tuple[PendingLease, ...]:
        """The requests that are to be served before this one, which waits."""
        order = self._ordered()
        return order.requests[: order.places[pending] - 1]

    def position_of(self, pending: PendingLease) -> int:
        """The place in the order, from 1; 0 for one that does not wait any more."""
        return self._ordered().places.get(pending, 0)

    def rank_of(self, pending: PendingLease) -> int:
        """The number of answers of its account's earlier requests; 0 where no other account waits."""
        return self._ordered().ranks.get(pending, 0)

    def surplus(self, newcomer: PendingLease) -> PendingLease:
        """The request that a full queue loses: the latest of the account with most requests in it."""
        waiting = [pending for pending in self._pending if pending.is_request]
        counts = Counter(pending.share for pending in waiting)
        most = max(counts.values())
        if counts[newcomer.share] == most:
            return newcomer
        return next(pending for pending in reversed(waiting) if counts[pending.share] == most)

    def most_streams(self, resident: Resident, share: str, most: int) -> int:
        """How many of its `most` streams a model may have with one more of this account."""
        has_others = any(other != share for other in self._seen)
        has_one = any(stream.share == share for stream in resident.streams)
        return most - most // _KEPT if has_others and has_one else most


def fair_order(waiting: Iterable[PendingLease], running: Iterable[Stream]) -> list[PendingLease]:
    """The requests, lowest rank first, and each operator's load after all that came before it."""
    arrived = list(waiting)
    if not _is_shared(arrived):
        return arrived  # the order in which they came
    rank = ranks(arrived, running)
    order = sorted(rank, key=lambda pending: (rank[pending], pending.turn))
    for load in arrived:
        if not load.is_request:
            order.insert(_place_after_earlier(order, load), load)
    return order


def ranks(waiting: Iterable[PendingLease], running: Iterable[Stream]) -> dict[PendingLease, int]:
    """The rank of each request; operators' loads have none."""
    found: dict[PendingLease, int] = {}
    earlier: Counter[str] = Counter()
    everything: list[Stream | PendingLease] = [*running, *waiting]
    for one in sorted(everything, key=lambda one: one.number):
        if isinstance(one, PendingLease):
            if not one.is_request:
                continue
            found[one] = earlier[one.share]
        earlier[one.share] += one.weight
    return found


def _is_shared(waiting: Iterable[PendingLease]) -> bool:
    return len({pending.share for pending in waiting if pending.is_request}) > 1


def _place_after_earlier(order: list[PendingLease], load: PendingLease) -> int:
    return max((place + 1 for place, one in enumerate(order) if one.number < load.number), default=0)

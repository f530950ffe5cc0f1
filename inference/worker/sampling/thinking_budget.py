"""The end of reasoning at a limit or at once: its closing marker is forced, and the answer begins."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.worker.sampling.constraint import TokenMask, only, without

_TAIL_TOKENS = 48  # no marker of reasoning is longer, not even byte by byte


@dataclass(frozen=True)
class ThinkingBudget:
    """When the reasoning in an answer ends: after so many tokens of it, or at a place in the answer."""

    tokens: int | None  # most tokens of reasoning, without the markers around it; None: no limit
    opening: str  # the marker that begins the reasoning
    closing: str  # the marker that ends it
    opening_id: int | None  # its token, if it is one
    forced: tuple[int, ...]  # tokens that end it: the closing marker, and what has to follow
    starts_inside: bool  # whether the prompt has opened the reasoning
    decode: Callable[[Sequence[int]], str]
    ends_at: int | None = None  # reasoning ends after so many tokens of the whole answer; None: nowhere

    @property
    def is_limited(self) -> bool:
        """Whether it can force anything."""
        return self.tokens is not None or self.ends_at is not None

    def ending_at(self, place: int) -> "ThinkingBudget":
        """The same with an end after so many tokens of the answer, unless it has an earlier one."""
        return replace(self, ends_at=place if self.ends_at is None else min(place, self.ends_at))

    def start(self, answered: Sequence[int] = ()) -> "ThinkingMatcher":
        """The state of an answer that has these tokens already."""
        matcher = ThinkingMatcher(self)
        free = 0 if self.tokens is not None else max(0, (self.ends_at or len(answered) + 1) - 1)
        matcher.skip(answered[:free])
        for token in answered[free:]:
            matcher.consume(token)
        return matcher


class ThinkingMatcher:
    """One answer, which is in its reasoning or not.

    1. In the reasoning every token counts, until the budget is used up or the end is reached.
    2. Then the tokens of the closing marker are the only ones allowed, one after the other.
    3. After the end, after limited reasoning, or with a budget of 0, no other reasoning may begin: the
       opening marker is not allowed if it is one token, and closed at once if it is several.
    """

    def __init__(self, budget: ThinkingBudget) -> None:
        self._budget = budget
        self._left = budget.tokens  # None: any number
        self._ends_at = budget.ends_at
        self._consumed = 0
        self._is_inside = budget.starts_inside
        self._forced: tuple[int, ...] = ()
        self._tail: list[int] = []
        self.has_cut = False  # whether the first reasoning of the answer did not end by itself
        self._has_ended = False
        self._force_at_the_end()

    @property
    def is_inside(self) -> bool:
        """Whether the answer is in its reasoning, up to the last token of the forced end."""
        return self._is_inside

    def end_at(self, place: int) -> None:
        """Have reasoning end after so many tokens of the whole answer."""
        self._ends_at = place

    def skip(self, tokens: Sequence[int]) -> None:
        """Advance by tokens of an answer without a limit: the same as to consume them, in one go."""
        if not tokens:
            return
        text, budget = self._budget.decode(tokens), self._budget
        opened, closed = text.rfind(budget.opening), text.rfind(budget.closing)
        self._is_inside = opened > closed or (budget.starts_inside and closed < 0)
        self._consumed += len(tokens)
        self._tail = list(tokens[-_TAIL_TOKENS:])
        while self._is_inside and budget.closing in budget.decode(self._tail):
            self._tail.pop(0)

    def consume(self, token: int) -> None:
        self._consumed += 1
        if self._forced:
            self.has_cut |= token == self._forced[0] and not self._has_ended
            self._forced = self._forced[1:] if token == self._forced[0] else ()
            if not self._forced:
                self._leave()
            return
        self._tail = [*self._tail, token][-_TAIL_TOKENS:]
        text = self._budget.decode(self._tail)
        if not self._is_inside:
            if text.rstrip().endswith(self._budget.opening):
                self._is_inside, self._tail = True, []
        elif self._budget.closing in text:
            self._leave()
        elif self._left is not None:
            self._left -= 1
        if self._ends_at is not None and self._consumed >= self._ends_at:
            self._left = 0
        self._force_at_the_end()

    def fork(self) -> "ThinkingMatcher":
        return copy.copy(self)  # its tail is replaced, never written to, once it has started

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        if self._forced:
            return only(self._forced[:1], vocabulary)
        if self._is_used_up and self._budget.opening_id is not None:
            return without((self._budget.opening_id,), vocabulary)
        return None

    @property
    def _is_used_up(self) -> bool:
        return self._left is not None and self._left <= 0

    def _force_at_the_end(self) -> None:
        if self._is_inside and self._is_used_up:
            self._forced = self._budget.forced

    def _leave(self) -> None:
        self._has_ended = True
        self._is_inside, self._tail = False, []
        self._left = None if self._left is None else 0

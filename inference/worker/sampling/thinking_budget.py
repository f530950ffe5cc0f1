"""The end of reasoning at a number of tokens: its closing marker is forced, and the answer begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference.worker.sampling.constraint import TokenMask, only, without

_TAIL_TOKENS = 48  # no marker of reasoning is longer, not even byte by byte


@dataclass(frozen=True)
class ThinkingBudget:
    """The most tokens of reasoning in each answer of one request, without the markers around it."""

    tokens: int
    opening: str  # the marker that begins the reasoning
    closing: str  # the marker that ends it
    opening_id: int | None  # its token, if it is one
    forced: tuple[int, ...]  # tokens that end it: the closing marker, and what has to follow
    starts_inside: bool  # whether the prompt has opened the reasoning
    decode: Callable[[Sequence[int]], str]

    def start(self, answered: Sequence[int] = ()) -> "ThinkingMatcher":
        matcher = ThinkingMatcher(self)
        for token in answered:
            matcher.consume(token)
        return matcher


class ThinkingMatcher:
    """One answer, which is in its reasoning or not.

    1. In the reasoning every token counts, until the budget is used up.
    2. Then the tokens of the closing marker are the only ones allowed, one after the other.
    3. After the reasoning, or with a budget of 0, no other reasoning may begin: the opening marker is not
       allowed if it is one token, and closed at once if it is several.
    """

    def __init__(self, budget: ThinkingBudget) -> None:
        self._budget = budget
        self._left = budget.tokens
        self._is_inside = budget.starts_inside
        self._is_over = False
        self._forced: tuple[int, ...] = ()
        self._tail: list[int] = []
        self._force_at_the_end()

    def consume(self, token: int) -> None:
        if self._forced:
            self._forced = self._forced[1:] if token == self._forced[0] else ()
            if not self._forced:
                self._leave()
            return
        self._tail = [*self._tail, token][-_TAIL_TOKENS:]
        text = self._budget.decode(self._tail)
        if not self._is_inside:
            if text.rstrip().endswith(self._budget.opening):
                self._is_inside, self._tail = True, []
                self._force_at_the_end()
        elif self._budget.closing in text:
            self._leave()
        else:
            self._left -= 1
            self._force_at_the_end()

    def allowed_tokens(self, vocabulary: int) -> TokenMask | None:
        if self._forced:
            return only(self._forced[:1], vocabulary)
        may_not_open = self._is_over or self._left <= 0
        if may_not_open and self._budget.opening_id is not None:
            return without((self._budget.opening_id,), vocabulary)
        return None

    def _force_at_the_end(self) -> None:
        if self._is_inside and self._left <= 0:
            self._forced = self._budget.forced

    def _leave(self) -> None:
        self._is_inside, self._is_over, self._left, self._tail = False, True, 0, []

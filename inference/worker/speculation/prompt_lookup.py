"""Where the latest tokens of a text have occurred before: the drafts of prompt lookup.

https://github.com/apoorvumang/prompt-lookup-decoding
"""

from collections.abc import Iterable
from dataclasses import dataclass

BREAK = -1  # no token: nothing matches or continues across it
LONGEST = 32  # tokens of a match that are compared
_CANDIDATES = 16  # earlier occurrences of the last two tokens that are compared


@dataclass(frozen=True)
class Match:
    """An earlier occurrence of the latest tokens."""

    start: int  # the place of the token that followed them there
    length: int  # how many tokens are the same, at most LONGEST


class NgramIndex:
    """The tokens of one text, and for each pair of neighbours the places where it ends.

    Appending a token takes constant time: a dictionary has the last place of each pair, and each place has
    the one before it with the same pair. A lookup compares a limited number of such places.
    """

    def __init__(self) -> None:
        self._tokens: list[int] = []
        self._last: dict[tuple[int, int], int] = {}
        self._previous: list[int] = []  # for each place the one before it with the same pair, or -1

    def __len__(self) -> int:
        return len(self._tokens)

    def extend(self, tokens: Iterable[int]) -> None:
        known, last, previous = self._tokens, self._last, self._previous
        before = known[-1] if known else BREAK
        for token in tokens:
            pair = (before, token)
            previous.append(-1 if token == BREAK or before == BREAK else last.get(pair, -1))
            last[pair] = len(known)
            known.append(token)
            before = token

    def find(self) -> Match | None:
        """The longest earlier occurrence of at least two latest tokens; of equal ones the most recent."""
        tokens, end = self._tokens, len(self._tokens) - 1
        place = self._previous[end] if end >= 0 else -1
        best = Match(0, 0)
        for _ in range(_CANDIDATES):
            if place < 0:
                break
            length = self._common(place, end)
            if length > best.length and tokens[place + 1] != BREAK:
                best = Match(place + 1, length)
            if length >= LONGEST:
                break
            place = self._previous[place]
        return best if best.length else None

    def following(self, match: Match, count: int) -> list[int]:
        """At most `count` tokens that followed a match of the latest tokens.

        A text that repeats goes on so: the match may reach up to the latest tokens themselves.
        """
        drafted: list[int] = []
        period = len(self._tokens) - match.start
        for step in range(count):
            place = match.start + step
            token = self._tokens[place] if step < period else drafted[step - period]
            if token == BREAK:
                break
            drafted.append(token)
        return drafted

    def _common(self, place: int, end: int) -> int:
        """How many tokens up to `place` are the same as those up to `end`."""
        tokens, length = self._tokens, 2
        while length < LONGEST and length <= place:
            token = tokens[place - length]
            if token == BREAK or token != tokens[end - length]:
                break
            length += 1
        return length

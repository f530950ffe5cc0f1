"""The piece of a message that search shows, with what was found marked."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from playground.folding import FoldedText

_BEFORE, _AFTER = 40, 120  # characters around the first hit
_MOST_MARKS = 20
_MOST_PLACES = 500
Snippet = list[tuple[str, bool]]  # texts in order, and whether each is a hit


def snippet(text: str, terms: Sequence[str]) -> Snippet:
    """The surroundings of a hit of the folded `terms`, where most terms are together, in plain pieces.

    White space becomes one blank. Beginning and end are cut between words where there are some, and marked
    with an ellipsis.
    """
    folded = FoldedText(text)
    places = list(islice(re.finditer(_any_of(terms), folded.text), _MOST_PLACES))
    if not places:
        return []
    best = max(places, key=lambda place: _count_near(folded.text, place.start(), terms))
    first, stop = folded.original_span(*best.span())
    start, end = _start(text, first), _end(text, first, stop)
    pieces: Snippet = [("…", False)] if text[:start].strip() else []
    at = start
    for begin, stop in _spans(FoldedText(text[start:end]), terms):
        pieces += [(text[at : start + begin], False), (text[start + begin : start + stop], True)]
        at = start + stop
    pieces.append((text[at:end] + ("…" if text[end:].strip() else ""), False))
    return [(re.sub(r"\s+", " ", piece), is_hit) for piece, is_hit in pieces if piece]


def _spans(window: FoldedText, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the terms are in the original, in order; what overlaps is one span."""
    end = 0
    for place in islice(re.finditer(_any_of(terms), window.text), _MOST_MARKS):
        start, stop = window.original_span(place.start(), place.end())
        if stop > end:
            yield max(start, end), stop
            end = stop


def _any_of(terms: Sequence[str]) -> str:
    return "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))


def _count_near(text: str, start: int, terms: Sequence[str]) -> int:
    """How many of the terms a snippet would show whose first hit is here."""
    return sum(term in text[start : start + _AFTER] for term in terms)


def _start(text: str, first: int) -> int:
    start = max(0, first - _BEFORE)
    blank = re.search(r"\s\S", text[start:first])
    return start + blank.end() - 1 if start and blank else start


def _end(text: str, first: int, stop: int) -> int:
    end = min(len(text), max(stop, first + _AFTER))
    blank = text.rfind(" ", max(stop, first + _AFTER * 2 // 3), end)
    return blank if end < len(text) and blank > 0 else end

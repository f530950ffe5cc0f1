"""Where the latest tokens have occurred before."""

import random

from inference.worker.speculation.prompt_lookup import BREAK, LONGEST, Match, NgramIndex
from tests.each import each


def index_of(*tokens: int) -> NgramIndex:
    index = NgramIndex()
    index.extend(tokens)
    return index


@each(
    ("tokens", "match"),
    [
        ((), None),
        ((1,), None),
        ((1, 2, 3, 4), None),
        ((1, 2, 9, 1), None),
        ((1, 2, 9, 1, 2), Match(2, 2)),
        ((1, 2, 8, 1, 2, 9, 1, 2), Match(5, 2)),  # the most recent
        ((7, 1, 2, 8, 1, 2, 9, 7, 1, 2), Match(3, 3)),  # the longest
        ((1, 2, BREAK, 1, 2), None),  # nothing followed there
        ((5, 5, 5, 5), Match(3, 3)),
    ],
)
def test_the_longest_and_then_the_most_recent_occurrence_counts(
    tokens: tuple[int, ...], match: Match | None
) -> None:
    assert index_of(*tokens).find() == match


def test_no_match_reaches_across_a_break() -> None:
    assert index_of(4, 1, BREAK, 2, 3, 8, 4, 1, BREAK, 2, 3).find() == Match(5, 2)


def test_what_followed_is_drafted_up_to_a_break() -> None:
    index = index_of(1, 2, 3, 4, BREAK, 1, 2)
    match = index.find()
    assert match and index.following(match, 9) == [3, 4]
    assert index.following(match, 1) == [3]


def test_a_text_that_repeats_goes_on_so() -> None:
    index = index_of(7, 8, 9, 7, 8)
    match = index.find()
    assert match and index.following(match, 7) == [9, 7, 8, 9, 7, 8, 9]


def test_a_match_has_a_longest_length() -> None:
    text = list(range(100))
    assert index_of(*text, *text).find() == Match(100, LONGEST)


def test_it_finds_what_a_search_of_the_whole_text_finds() -> None:
    draw = random.Random(3)  # noqa: S311
    text = [draw.randrange(4) for _ in range(14)]
    for end in range(2, len(text)):
        known = text[:end]
        lengths = {
            start: sum(1 for size in range(1, start + 1) if known[start - size : start] == known[-size:])
            for start in range(2, end)
        }
        found = index_of(*known).find()
        longest = max(lengths.values(), default=0)
        assert (found.length if found else 0) == (longest if longest > 1 else 0)
        assert not found or found.start == max(s for s, length in lengths.items() if length == longest)

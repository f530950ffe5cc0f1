"""Sets of characters, as ranges of code points."""

from re import _parser as regex_parser

from inference.adapters.tool_calls.code_points import (
    LAST,
    complement,
    holds,
    other_cases,
    ranges_of,
    without,
)
from tests.each import each


def test_a_complement_has_all_other_characters() -> None:
    assert complement([(10, 10)]) == [(0, 9), (11, LAST)]
    assert complement([(0, LAST)]) == []


@each(
    ("barred", "left"),
    [([(3, 5)], [(0, 2), (6, 9)]), ([(0, 4)], [(5, 9)]), ([(0, 4), (5, 9)], []), ([(20, 30)], [(0, 9)])],
)
def test_barred_characters_are_cut_out(barred: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert without([(0, 9)], barred) == left


@each(
    ("pattern", "inside", "outside"),
    [
        ("[a-c]", "abc", "d"),
        (r"[\d_]", "0_", "a"),
        ("[^ab]", "c", "ab"),
        (r"[\S]", "x", " \n"),
        (r"[^\W]", "_z", "-"),
    ],
)
def test_a_class_of_a_pattern_is_read(pattern: str, inside: str, outside: str) -> None:
    ((_, items),) = regex_parser.parse(pattern)
    ranges = ranges_of(items)
    assert all(holds(ranges, ord(char)) for char in inside)
    assert not any(holds(ranges, ord(char)) for char in outside)


def test_only_ascii_letters_have_another_case() -> None:
    assert other_cases([(ord("a"), ord("b")), (ord("_"), ord("_"))]) == [(65, 65), (66, 66)]
    assert other_cases([(0xE9, 0xE9)]) == []

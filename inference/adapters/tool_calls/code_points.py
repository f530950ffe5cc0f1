"""Sets of characters, as ranges of code points."""

from collections.abc import Iterable, Sequence
from re import _constants as codes
from typing import Any

LAST = 0x10FFFF
_RANGES: dict[Any, list[tuple[int, int]]] = {
    codes.CATEGORY_DIGIT: [(48, 57)],
    codes.CATEGORY_WORD: [(48, 57), (65, 90), (95, 95), (97, 122)],
    codes.CATEGORY_SPACE: [(9, 10), (12, 13), (32, 32)],
}
_NEGATED = {
    codes.CATEGORY_NOT_DIGIT: codes.CATEGORY_DIGIT,
    codes.CATEGORY_NOT_WORD: codes.CATEGORY_WORD,
    codes.CATEGORY_NOT_SPACE: codes.CATEGORY_SPACE,
}


def ranges_of(items: Iterable[tuple[Any, Any]]) -> list[tuple[int, int]]:
    """The characters of a class."""
    found: list[tuple[int, int]] = []
    is_negated = False
    for code, value in items:
        if code is codes.NEGATE:
            is_negated = True
        elif code is codes.LITERAL:
            found.append((value, value))
        elif code is codes.RANGE:
            found.append(value)
        elif value in _NEGATED:
            found += complement(_RANGES[_NEGATED[value]])
        else:
            found += _RANGES[value]
    return complement(found) if is_negated else found


def complement(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return without([(0, LAST)], ranges)


def without(ranges: Sequence[tuple[int, int]], barred: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    for low, high in barred:
        kept = []
        for first, last in ranges:
            if first < low:
                kept.append((first, min(last, low - 1)))
            if last > high:
                kept.append((max(first, high + 1), last))
        ranges = kept
    return [(first, last) for first, last in ranges if first <= last]


def holds(ranges: Sequence[tuple[int, int]], char: int) -> bool:
    return any(first <= char <= last for first, last in ranges)


def other_cases(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The other case of each ASCII letter in the ranges."""
    letters = [char for char in range(65, 123) if chr(char).isalpha() and holds(ranges, char)]
    return [(char ^ 32, char ^ 32) for char in letters]

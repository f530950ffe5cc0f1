"""Whole numbers in texts of requests."""

from inference.core.whole_number import whole_number
from tests.each import each


@each(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("9" * 15, 10**15 - 1)])
def test_digits_are_a_number(text: str, number: int) -> None:
    assert whole_number(text) == number


@each("text", ["", " 1", "-1", "+1", "1.0", "1e3", "0x1", "²", "٣", "१", "9" * 16, "9" * 5000])
def test_other_texts_are_none(text: str) -> None:
    assert whole_number(text) is None

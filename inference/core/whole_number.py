"""Whole numbers in texts of requests, where `str.isdigit` and `int` do not agree on what is one."""

_MOST_DIGITS = 15  # more than a count of bytes ever has; `int` raises ValueError above 4300


def whole_number(text: str) -> int | None:
    """The number, 0 or more, of a text of at most 15 ASCII digits; None for every other text."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_one else None

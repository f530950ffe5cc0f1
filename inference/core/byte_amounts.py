"""Amounts of memory and disk, as operators write them in settings."""

import re

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B)?\s*", re.IGNORECASE)
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")


def parse_bytes(text: str, total: int) -> int:
    """Bytes from "12GB", "900 MB", "1000000" or "75%" of `total`; ValueError when it is none of these."""
    if percent := _PERCENT.fullmatch(text):
        share = float(percent[1])
        if not 0 < share <= 100:
            raise ValueError("a percentage must be above 0 and at most 100")
        return max(1, int(total * share / 100))
    amount = _AMOUNT.fullmatch(text)
    if not amount:
        raise ValueError('give bytes such as "12GB", "900MB" or "12000000000", or a share such as "75%"')
    value = int(float(amount[1]) * _UNITS[(amount[2] or "").upper()])
    if value <= 0:
        raise ValueError("must be above 0")
    return value


def bytes_or_zero(text: str, total: int) -> int:
    """The same, or 0 from "0"."""
    return 0 if text == "0" else parse_bytes(text, total)

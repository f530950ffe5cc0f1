"""The JSON of one chat, read without keeping other threads waiting.

`json.loads` reads a whole text in one call of C, during which no other thread runs, and so no request is
served: a chat of 30 MB would pause the site for half a second. The standard library's decoder in Python is
slower, and can be interrupted between any two values.
"""

import json
import re
from json import scanner
from typing import Any, cast

AT_ONCE = 256 * 1024  # characters that C code may read in one call
_LONGEST_MARK = 6  # characters of an escape
_MAYBE_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class _InterruptibleDecoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(parse_constant=_no_number)
        self.scan_once = cast(Any, scanner).py_make_scanner(self)


def _no_number(name: str) -> None:
    """NaN and infinities, which no chat needs."""


def read(text: str) -> Any:
    """The value; raises ValueError, and RecursionError where it is nested too deeply.

    Half of a pair of surrogates, as truncated emoji are written, becomes U+FFFD: no text could be stored
    with it.
    """
    is_short = len(text) <= AT_ONCE
    value = json.loads(text, parse_constant=_no_number) if is_short else _InterruptibleDecoder().decode(text)
    return _without_halves(value) if _may_have_halves(text) else value


def _may_have_halves(text: str) -> bool:
    return any(
        _MAYBE_HALF_A_PAIR.search(text, start, start + AT_ONCE + _LONGEST_MARK)
        for start in range(0, len(text), AT_ONCE)
    )


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF_A_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_halves(one) for one in value]
    if isinstance(value, dict):
        return {_without_halves(name): _without_halves(one) for name, one in value.items()}
    return value

"""Follows the brackets and strings of a JSON value that arrives in parts."""

import re
from collections.abc import Sequence

_BRACKET = r'\\.|[\\"{}\[\]]'


class BracketScanner:
    """Finds the end of a JSON value: behind its last bracket, or before one of `stops` outside of strings.

    The text is scanned once, however it is split:

    1. Search the next character that matters: a quote, a bracket, an escape, or one of `stops`.
    2. Inside a string, only its closing quote matters. An escape covers the next character, which may be in
       the next part. A stop is ordinary text there.
    3. Outside of strings, brackets change the depth, which begins at `depth`. The value ends when a closing
       bracket brings it to 0, or before a stop, and then `is_stopped` is set.

    Whether the kinds of brackets match is not checked.
    """

    def __init__(self, depth: int = 0, stops: Sequence[str] = ()) -> None:
        self._depth = depth
        self._marks = re.compile("|".join([*map(re.escape, stops), _BRACKET]), re.DOTALL)
        self._stops = frozenset(stops)
        self._is_escaped = False
        self.is_in_string = False
        self.is_stopped = False

    def find_end(self, text: str) -> int | None:
        """Scan the next part; returns the index in it where the value ends, None if it goes on."""
        start = int(self._is_escaped and bool(text))
        self._is_escaped = self._is_escaped and not text
        place = start
        while found := self._marks.search(text, place):
            place = found.end()
            if self.is_in_string and found[0] in self._stops:
                place = found.start() + 1  # a string may contain it, and its quotes with it
            elif found[0] in self._stops:
                self.is_stopped = True
                return found.start()
            else:
                self._follow(found[0])
                if not self.is_in_string and found[0] in "}]" and self._depth <= 0:
                    return found.end()
        return None

    def _follow(self, mark: str) -> None:
        if self.is_in_string:
            self._is_escaped = mark == "\\"
            self.is_in_string = mark != '"'
            return
        self.is_in_string = mark == '"'
        self._depth += (mark in "{[") - (mark in "}]")

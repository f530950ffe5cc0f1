"""Follows the brackets and strings of JSON that comes in pieces."""

import re
from collections.abc import Sequence

_BRACKET = r'\\.|[\\"{}\[\]]'


class BracketScanner:
    """Finds where a value's last bracket closes, or one of `stops` comes first, outside of strings."""

    def __init__(self, depth: int = 0, stops: Sequence[str] = ()) -> None:
        self._depth = depth
        self._marks = re.compile("|".join([*map(re.escape, stops), _BRACKET]), re.DOTALL)
        self._stops = frozenset(stops)
        self._is_escaped = False
        self.is_in_string = False
        self.is_stopped = False

    def end_in(self, text: str) -> int | None:
        """Where in this piece the value ends: behind its last bracket, or before the mark that stops it."""
        start = int(self._is_escaped and bool(text))
        self._is_escaped = self._is_escaped and not text
        place = start
        while found := self._marks.search(text, place):
            place = found.end()
            if self.is_in_string and found[0] in self._stops:
                place = found.start() + 1  # a string may hold it, and its quotes with it
            elif found[0] in self._stops:
                self.is_stopped = True
                return found.start()
            elif self._closes(found[0]):
                return found.end()
        return None

    def _closes(self, mark: str) -> bool:
        if self.is_in_string:
            self._is_escaped = mark == "\\"
            self.is_in_string = mark != '"'
            return False
        self.is_in_string = mark == '"'
        self._depth += (mark in "{[") - (mark in "}]")
        return mark in "}]" and self._depth <= 0

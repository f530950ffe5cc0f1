"""The part of an answer's text that a call reader has not decided about yet."""

from collections.abc import Sequence

from inference.adapters.partial_marker import partial_length
from inference.adapters.tool_calls.bracket_scanner import BracketScanner


class HeldText:
    """A growing text; its first `scanned` characters were searched for the end of a JSON value."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.text = ""
        self.scanned = 0
        self._stops = stops
        self._scanner = BracketScanner()

    @property
    def is_in_string(self) -> bool:
        """Whether the scanned text ends inside a string of the value."""
        return self._scanner.is_in_string

    @property
    def is_stopped(self) -> bool:
        """Whether a stop has ended the value before its last bracket."""
        return self._scanner.is_stopped

    def take(self, count: int) -> str:
        """Remove and return the first `count` characters."""
        taken, self.text = self.text[:count], self.text[count:]
        self.scanned = 0
        return taken

    def start_value(self, start: int, *, depth: int = 0) -> None:
        """Scan from `start` on for the end of a value, `depth` brackets of which are open already."""
        self.scanned, self._scanner = start, BracketScanner(depth, self._stops)

    def find_value_end(self) -> int | None:
        """The index behind the value, None while it is open.

        The end of the text is not scanned while it could become a stop, except inside a string, where a stop
        is ordinary text.
        """
        kept = max((partial_length(self.text, stop) for stop in self._stops), default=0)
        for until in (len(self.text) - kept, len(self.text)):
            start, self.scanned = self.scanned, max(self.scanned, until)
            end = self._scanner.find_end(self.text[start : self.scanned])
            if end is not None:
                return start + end
            if not self.is_in_string:
                return None
        return None

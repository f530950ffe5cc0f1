"""Stop strings, found however the text is cut into pieces."""

from collections.abc import Sequence

from inference.adapters.partial_marker import partial_length


class StopStrings:
    """Cuts a text before the stop string that is complete first."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.matched = ""

    @property
    def has_matched(self) -> bool:
        return bool(self.matched)

    def feed(self, text: str) -> str:
        """The text that can be shown by now; an end that may become a stop string is held back."""
        if self.has_matched or not self._stops:
            return "" if self.has_matched else text
        seen = self._held + text
        matches = [(at + len(stop), at, stop) for stop in self._stops if (at := seen.find(stop)) >= 0]
        if matches:
            _, start, self.matched = min(matches)
            self._held = ""
            return seen[:start]
        keep = max(partial_length(seen, stop) for stop in self._stops)
        self._held = seen[len(seen) - keep :]
        return seen[: len(seen) - keep]

    def flush(self) -> str:
        """The text that was held back and did not become a stop string."""
        rest, self._held = self._held, ""
        return rest

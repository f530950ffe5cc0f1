"""The text between the markers of calls that are not JSON, which is only parsed once it is complete."""

from collections.abc import Mapping, Sequence

from inference.adapters.partial_marker import partial_length
from inference.adapters.tool_calls.held_text import HeldText
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool

_LONGEST_BEGINNING = 1024  # characters; a longer text is not tested again

Calls = Sequence[tuple[str, str]]


class CallBodyReader:
    """Finds the end of a body and has the format parse it; calls are names and JSON arguments."""

    def __init__(self, call_format: ToolFormat, tools: Mapping[str, Tool]) -> None:
        self._format = call_format
        self._tools = tools

    def take_calls(self, held: HeldText) -> Calls | None:
        """Remove a complete body with its end marker, and return its calls; none if it is no call.

        1. Parse the text before each end marker. If it is valid, that is the body.
        2. If the marker may be part of a value, go on to the next one; otherwise it is no call.
        3. Without another marker, return None to wait for more text, as long as a call can come of it.
        """
        end = self._format.end
        while (at := held.text.find(end, held.scanned)) >= 0:
            body = held.text[:at]
            if calls := self._parse(body):
                held.take(at + len(end))
                return calls
            if not self._format.can_continue(body, self._tools):
                return ()
            held.scanned = at + len(end)
        held.scanned = max(held.scanned, len(held.text) - len(end) + 1)
        is_open = len(held.text) > _LONGEST_BEGINNING or self._format.can_become(held.text)
        return None if is_open else ()

    def last_calls(self, text: str, *, is_cut: bool) -> tuple[Calls, str]:
        """The calls at the end of an answer, whose end marker may be missing or partial, and the rest."""
        end = self._format.end
        if self._format.ends_with_answer:
            whole = text[: len(text) - partial_length(text, end)]
            if calls := self._parse(text) or self._parse(whole):
                return calls, ""
        body, found, rest = text.partition(end)
        if is_cut or not found or (rest.strip() and not rest.lstrip().startswith(self._format.begin)):
            return (), text
        return self._known(self._format.parse_incomplete(body, self._tools)), rest

    def _parse(self, body: str) -> Calls:
        return self._known(self._format.parse(body, self._tools))

    def _known(self, calls: Calls) -> Calls:
        """The calls; none if one of them calls no tool of this name."""
        return calls if all(name in self._tools for name, _ in calls) else ()

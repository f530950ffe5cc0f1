"""Calls that can only be parsed once they are complete: tags, Gemma's notation, Python."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from inference.adapters.tool_calls.literals import Unfinished
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool


class WholeCalls(ToolFormat):
    """The text between `begin` and `end` is parsed at once; a string in it may contain the text of `end`."""

    is_parsed_whole = True

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        try:
            return self._parsed(body, tools)
        except (ValueError, RecursionError):
            return ()

    def can_continue(self, body: str, tools: Mapping[str, Tool]) -> bool:
        try:
            self._parsed(body, tools)
        except Unfinished:
            return True
        except (ValueError, RecursionError):
            return False
        return False

    @abstractmethod
    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        """Name and JSON arguments of each call; raises ValueError, or Unfinished inside a string."""

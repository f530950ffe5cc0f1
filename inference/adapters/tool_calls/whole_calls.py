"""Calls in a notation of which nothing is known before its end: tags, Gemma's, Python."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from inference.adapters.tool_calls.literals import Unfinished
from inference.adapters.tool_calls.tool_formats import ToolFormat
from inference.core.requests import Tool


class WholeCalls(ToolFormat):
    """What stands between `begin` and `end` is read at once; a string in it may hold the text of `end`."""

    is_whole = True

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        try:
            return self._calls(body, tools)
        except (ValueError, RecursionError):
            return ()

    def may_go_on(self, body: str, tools: Mapping[str, Tool]) -> bool:
        try:
            self._calls(body, tools)
        except Unfinished:
            return True
        except (ValueError, RecursionError):
            return False
        return False

    @abstractmethod
    def _calls(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        """Name and JSON arguments of each call; raises ValueError, and Unfinished within a string."""

"""Calls whose JSON arguments are between markers, one behind the other in a section: DeepSeek, Kimi."""

import re
from collections.abc import Sequence
from typing import ClassVar

from inference.adapters.tool_calls.call_prefix import SPACE, CallPrefix, chars
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool

NAME = r"(?P<name>[^\s<>{}\":]{1,64})"


def marked_prefixes(opening: str, *beginnings: Sequence[str]) -> tuple[CallPrefix, ...]:
    """Each beginning of a call, with and without its `opening` marker; the longest has to be the first."""
    return tuple(
        CallPrefix(*first, *beginning, SPACE, r"\{")
        for beginning in beginnings
        for first in ((), chars(opening))
    )


class MarkedCalls(ToolFormat):
    """`begin` and `end` enclose a section; a call is `before`, name, `between`, arguments and `after`."""

    is_object = False
    before: ClassVar[str] = ""
    between: ClassVar[str] = ""
    after: ClassVar[str] = ""
    joint: ClassVar[str] = ""  # between two calls

    def function_name(self, held: str) -> str | None:
        held = held.lstrip().removeprefix(self.before).lstrip()
        found = re.match(NAME + r"(?=[\s<:])", held)
        return found["name"] if found else None

    @classmethod
    def call_text(cls, calls: Sequence[tuple[str, str]]) -> str:
        """These calls, each a name and JSON arguments, as the model writes them."""
        parts = (f"{cls.before}{name}{cls.between}{arguments}{cls.after}" for name, arguments in calls)
        return cls.begin + cls.joint.join(parts) + cls.end

    def _start_rule(self, several: bool) -> str:
        calls = f"call ({self._text_rule(self.joint)} call)*" if several else "call"
        return f"/\\n?\\n?/ {self._text_rule(self.begin)} {calls} {self._text_rule(self.end)}"

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        opened = self._text_rule(f"{self.before}{tool.name}{self.between}")
        return f"{opened} {arguments} {self._text_rule(self.after)}"

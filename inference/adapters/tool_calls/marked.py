"""Calls whose JSON arguments stand between marks, one behind the other in a section: DeepSeek, Kimi."""

import re
from collections.abc import Sequence
from typing import ClassVar

from inference.adapters.tool_calls.call_syntax import CallPrefix
from inference.adapters.tool_calls.tool_formats import ToolFormat
from inference.core.requests import Tool

SPACE = r"[ \t\r\n]{0,16}"
NAME = r"(?P<name>[^\s<>{}\":]{1,64})"


def chars(text: str) -> tuple[str, ...]:
    """This text as atoms of a head, with white space before."""
    return (SPACE, *(re.escape(char) for char in text))


def heads(opening: str, *beginnings: Sequence[str]) -> tuple[CallPrefix, ...]:
    """Each beginning of a call, with and without the mark that opens it; the first has to be the longest."""
    return tuple(
        CallPrefix(*first, *beginning, SPACE, r"\{")
        for beginning in beginnings
        for first in ((), chars(opening))
    )


class MarkedCalls(ToolFormat):
    """`begin` and `end` are the section's; a call is `before`, name, `between`, arguments and `after`."""

    is_object = False
    before: ClassVar[str] = ""
    between: ClassVar[str] = ""
    after: ClassVar[str] = ""
    joint: ClassVar[str] = ""  # what stands between two calls

    def named(self, held: str) -> str | None:
        said = held.lstrip().removeprefix(self.before).lstrip()
        found = re.match(NAME + r"(?=[\s<:])", said)
        return found["name"] if found else None

    @classmethod
    def written(cls, calls: Sequence[tuple[str, str]]) -> str:
        """Calls, each its name and its arguments, as the model says them."""
        said = (f"{cls.before}{name}{cls.between}{arguments}{cls.after}" for name, arguments in calls)
        return cls.begin + cls.joint.join(said) + cls.end

    def _answer(self, several: bool) -> str:
        calls = f"call ({self._said(self.joint)} call)*" if several else "call"
        return f"/\\n?\\n?/ {self._said(self.begin)} {calls} {self._said(self.end)}"

    def _call(self, tool: Tool, arguments: str) -> str:
        opened = self._said(f"{self.before}{tool.name}{self.between}")
        return f"{opened} {arguments} {self._said(self.after)}"

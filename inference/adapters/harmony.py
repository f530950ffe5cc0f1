"""gpt-oss's harmony: an answer is messages, each with a channel, some with a recipient.

https://cookbook.openai.com/articles/openai-harmony - <|start|>assistant<|channel|>analysis<|message|>…<|end|>
is a thought, the channel `final` the answer, `commentary` a call or words before one.
"""

import json
import re
from collections.abc import Mapping, Sequence

from inference.adapters.calls import Piece
from inference.adapters.reader import Reader, held_back
from inference.adapters.tool_formats import ToolFormat, schema_of
from inference.requests import Tool

START, CHANNEL, MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
END, CONSTRAIN = "<|end|>", "<|constrain|>"
MARKS = (START, CHANNEL, MESSAGE, END, CONSTRAIN)
_OPENERS = (CHANNEL, "assistant", "to=", START, MESSAGE)
_NAMED = re.compile(rf"{re.escape(CHANNEL)}\s*(\w+)")
_CALLED = re.compile(r"to=(?:functions\.)?([^\s<]+)")
_LONGEST_HEADER = 256


class HarmonyCalls(ToolFormat):
    """commentary to=functions.NAME, and the arguments as the message; one call an answer."""

    name = "harmony"
    begin = " to=functions."
    is_bare = True  # the recipient has no mark of its own

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = []
        for place, tool in enumerate(tools):
            opened = json.dumps(f"commentary to=functions.{tool.name} ")
            head = f'{self._mark(CHANNEL)} {opened} {self._mark(CONSTRAIN)} "json" {self._mark(MESSAGE)}'
            rules.append(f"call_{place}: {head} arguments_{place}")
            rules.append(f"arguments_{place}: %json {schema_of(tool)}")
        calls = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self.thought()} ({calls})", *rules]) + "\n"

    def thought(self) -> str:
        """A message on the channel of thoughts, or none."""
        opened = f'{self._mark(CHANNEL)} "analysis" {self._mark(MESSAGE)} /(.|\\n)*/ {self._mark(END)}'
        return f'({opened} {self._mark(START)} "assistant")?'

    def final(self, rule: str) -> str:
        """An answer whose text is what this rule says."""
        return f'{self.thought()} {self._mark(CHANNEL)} "final" {self._mark(MESSAGE)} {rule}'


class HarmonyReader(Reader):
    """Reads messages one after the other; what has no header, or an unknown recipient, is text."""

    def __init__(self, calls: ToolFormat | None, tools: Mapping[str, Tool], *, several: bool = True) -> None:
        super().__init__()
        self._format = calls
        self._tools = tools
        self._several = several
        self._rest = ""
        self._state = "header"
        self._channel = "text"
        self._made = 0

    @property
    def is_done(self) -> bool:
        return self._state == "done"

    def feed(self, text: str) -> list[Piece]:
        self._rest += text
        pieces: list[Piece] = []
        while self._rest and not self.is_done and (told := self._advance()) is not None:
            pieces += told
        return pieces

    def flush(self) -> list[Piece]:
        """A header that never ended has no message, so it says nothing."""
        rest, self._rest = self._rest, ""
        return self._say(rest) if self._state == "body" else []

    def _advance(self) -> list[Piece] | None:
        match self._state:
            case "header":
                return self._read_header()
            case "between":
                return self._read_between()
        return self._read_body()

    def _read_header(self) -> list[Piece] | None:
        header, found, rest = self._rest.partition(MESSAGE)
        if not _may_be_header(header + found):
            return self._begin("text")
        if not found:
            return None
        self._rest = rest
        # A header that went wrong ends without a message, and another follows it (llama.cpp#27720).
        header = header.rpartition(START)[2]
        called = _CALLED.search(header)
        if called and self._format and called[1] in self._tools:
            return self._begin_call(called[1])
        if called:  # nobody of this name is here to be called
            self._rest = header + found + rest
            return self._begin("text")
        named = _NAMED.search(header)
        return self._begin("reasoning" if named and named[1] == "analysis" else "text")

    def _begin(self, channel: str) -> list[Piece]:
        self._state, self._channel = "body", channel
        return []

    def _begin_call(self, name: str) -> list[Piece]:
        self._state, self._channel = "body", "tool"
        self._made += 1
        call_id = self._format.new_id() if self._format else ""
        return [Piece("tool", "", self._made - 1, call_id, name)]

    def _read_body(self) -> list[Piece] | None:
        found = min(((at, mark) for mark in (END, START) if (at := self._rest.find(mark)) >= 0), default=None)
        if found is None:
            kept = max(held_back(self._rest, mark) for mark in (END, START))
            return self._say(self._take(len(self._rest) - kept)) or None
        said = self._say(self._take(found[0]))
        was_call = self._channel == "tool"
        self._rest = self._rest.removeprefix(END)
        self._state = "done" if was_call and not self._several else "between"
        return said

    def _read_between(self) -> list[Piece] | None:
        begun = self._rest.lstrip()
        if begun.startswith(START):
            self._rest, self._state = begun.removeprefix(START), "header"
            return []
        if START.startswith(begun):
            return None
        return self._begin("text")

    def _take(self, end: int) -> str:
        text, self._rest = self._rest[:end], self._rest[end:]
        return text

    def _say(self, text: str) -> list[Piece]:
        if not text:
            return []
        if self._channel == "tool":
            return [Piece("tool", text, self._made - 1)]
        return [Piece("reasoning" if self._channel == "reasoning" else "text", text)]


def _may_be_header(text: str) -> bool:
    begun = text.lstrip(" ")
    opens = any(begun.startswith(opener) or opener.startswith(begun) for opener in _OPENERS)
    return opens and "\n" not in begun and len(text) <= _LONGEST_HEADER + len(MESSAGE)

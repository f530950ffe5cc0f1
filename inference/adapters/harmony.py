"""gpt-oss's harmony: an answer is messages, each with a channel, some with a recipient.

https://cookbook.openai.com/articles/openai-harmony - <|start|>assistant<|channel|>analysis<|message|>…<|end|>
is a thought, the channel `final` the answer, `commentary` a call or words before one.
"""

import json
import re
from collections.abc import Mapping, Sequence

from inference.adapters.channel_reader import ChannelReader, held_back
from inference.adapters.tool_calls.bracket_scanner import BracketScanner
from inference.adapters.tool_calls.call_reader import Channel, Piece
from inference.adapters.tool_calls.tool_formats import ToolFormat, arguments_rule
from inference.core.requests import Tool

START, CHANNEL, MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
END, CONSTRAIN = "<|end|>", "<|constrain|>"
MARKS = (START, CHANNEL, MESSAGE, END, CONSTRAIN)
_OPENERS = (CHANNEL, "assistant", "to=", START, MESSAGE)
_BEGINNINGS = (START, CHANNEL, f"assistant{CHANNEL}", "assistant to=")
_NAMED = re.compile(rf"{re.escape(CHANNEL)}\s*(\w+)")
_CALLED = re.compile(r"to=(?:functions\.)?([^\s<]+)")
_LONGEST_HEADER = 256


class HarmonyCalls(ToolFormat):
    """commentary to=functions.NAME, and the arguments as the message; one call an answer."""

    name = "harmony"
    begin = " to=functions."
    is_bare = True  # the recipient has no mark of its own

    @property
    def marks(self) -> tuple[str, ...]:
        return MARKS

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = []
        for place, tool in enumerate(tools):
            opened = json.dumps(f"commentary to=functions.{tool.name} ")
            head = f'{self._mark(CHANNEL)} {opened} {self._mark(CONSTRAIN)} "json" {self._mark(MESSAGE)}'
            rules.append(f"call_{place}: {head} arguments_{place}")
            rules.append(f"arguments_{place}: {arguments_rule(tool)}")
        calls = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self.thought()} ({calls})", *rules]) + "\n"

    def thought(self) -> str:
        """A message on the channel of thoughts, or none; no mark may be spelt in it."""
        end = self._mark(END)
        text = "/([^<]|<+[^<|])*<*/" if end.startswith("<[") else "/[^<]*/"
        opened = f'{self._mark(CHANNEL)} "analysis" {self._mark(MESSAGE)} {text} {end}'
        return f'({opened} {self._mark(START)} "assistant")?'

    def final(self, rule: str) -> str:
        """An answer whose text is what this rule says."""
        return f'{self.thought()} {self._mark(CHANNEL)} "final" {self._mark(MESSAGE)} {rule}'


class HarmonyReader(ChannelReader):
    """Reads messages one after the other; what has no header, or an unknown recipient, is text.

    The mark that starts a message may be missing (https://github.com/vllm-project/vllm/issues/35906), and a
    mark in a string of a call's arguments is a part of it.
    """

    def __init__(
        self,
        calls: ToolFormat | None,
        tools: Mapping[str, Tool],
        *,
        several: bool = True,
        is_forced: bool = False,
    ) -> None:
        super().__init__()
        self._is_forced = is_forced
        self._format = calls
        self._tools = tools
        self._several = several
        self._rest = ""
        self._state = "header"
        self._channel: Channel = "text"
        self._made = 0
        self._has_begun = False
        self._nesting: BracketScanner | None = None  # while a call's arguments are open

    @property
    def is_done(self) -> bool:
        return self._state == "done"

    def feed(self, text: str) -> list[Piece]:
        self._rest += text
        pieces: list[Piece] = []
        while self._rest and not self.is_done and (told := self._advance()) is not None:
            pieces += told
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """A header that never ended has no message, so it says nothing."""
        rest, self._rest = self._rest, ""
        is_headless = self._state == "header" and not (self._has_begun or _has_mark(rest))
        is_headless &= not (is_cut and self._is_forced)
        is_text = self._state == "body" or is_headless
        kept = _cut_mark(rest) if is_cut and is_text else len(rest) * (not is_text)
        self._has_dropped = kept > 0
        return self._say(rest[: len(rest) - kept])

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
            return [*self._begin("text"), *self._say(header + found)]
        named = _NAMED.search(header)
        return self._begin("reasoning" if named and named[1] == "analysis" else "text")

    def _begin(self, channel: Channel) -> list[Piece]:
        self._state, self._channel, self._nesting = "body", channel, None
        self._has_begun = True
        return []

    def _begin_call(self, name: str) -> list[Piece]:
        self._begin("tool")
        self._nesting = BracketScanner(stops=(END, START))
        self._made += 1
        call_id = self._format.new_id() if self._format else ""
        return [Piece("tool", "", self._made - 1, call_id, name)]

    def _read_body(self) -> list[Piece] | None:
        if self._nesting:
            return self._read_arguments(self._nesting)
        ends = (END, START, CHANNEL)
        found = min(((at, mark) for mark in ends if (at := self._rest.find(mark)) >= 0), default=None)
        if found is None:
            kept = max(held_back(self._rest, mark) for mark in ends)
            return self._say(self._take(len(self._rest) - kept)) or None
        if found[1] == CHANNEL:
            return self._read_new_channel(found[0])
        said = self._say(self._take(found[0]))
        was_call = self._channel == "tool"
        self._rest = self._rest.removeprefix(END)
        self._state = "done" if was_call and not self._several else "between"
        return said

    def _read_arguments(self, nesting: BracketScanner) -> list[Piece] | None:
        """Up to the bracket that closes them, or to a mark that is in no string."""
        kept = max(held_back(self._rest, mark) for mark in (END, START))
        end = nesting.end_in(self._rest[: len(self._rest) - kept])
        if end is None and nesting.is_in_string:
            kept, end = 0, nesting.end_in(self._rest[len(self._rest) - kept :])
        if end is not None:
            self._nesting = None
            return self._say(self._take(end))
        return self._say(self._take(len(self._rest) - kept)) or None

    def _read_new_channel(self, at: int) -> list[Piece] | None:
        """A message may begin without the mark that ends the one before."""
        if at:
            return self._say(self._take(at))
        header, found, _ = self._rest.partition(MESSAGE)
        if not _may_be_header(header + found):
            return self._say(self._take(len(CHANNEL)))
        if not found:
            return None
        self._state = "done" if self._channel == "tool" and not self._several else "header"
        return []

    def _read_between(self) -> list[Piece] | None:
        begun = self._rest.lstrip()
        if any(begun.startswith(opener) for opener in _BEGINNINGS):
            self._rest, self._state = begun.removeprefix(START), "header"
            return []
        if any(opener.startswith(begun) for opener in _BEGINNINGS):
            return None
        if self._channel == "text":  # the mark stood in the text
            return [*self._say(END), *self._begin("text")]
        return self._begin("text")

    def _take(self, end: int) -> str:
        text, self._rest = self._rest[:end], self._rest[end:]
        return text

    def _say(self, text: str) -> list[Piece]:
        if not text:
            return []
        return [Piece(self._channel, text, self._made - 1 if self._channel == "tool" else 0)]


def _may_be_header(text: str) -> bool:
    begun = text.lstrip(" ")
    opens = any(begun.startswith(opener) or opener.startswith(begun) for opener in _OPENERS)
    return opens and "\n" not in begun and len(text) <= _LONGEST_HEADER + len(MESSAGE)


def _has_mark(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def _cut_mark(text: str) -> int:
    """How many characters at its end are more than half of a mark."""
    return max((n for mark in MARKS if 2 * (n := held_back(text, mark)) > len(mark)), default=0)

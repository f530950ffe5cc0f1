"""The harmony format of gpt-oss: an answer consists of messages, each with a channel, some with a recipient.

https://cookbook.openai.com/articles/openai-harmony - <|start|>assistant<|channel|>analysis<|message|>…<|end|>
is reasoning, the channel `final` is the answer, and `commentary` a tool call or text before one.
"""

import re
from collections.abc import Mapping

from inference.adapters.channel_reader import ChannelReader
from inference.adapters.harmony_calls import CHANNEL, END, MARKS, MESSAGE, START
from inference.adapters.partial_marker import partial_length
from inference.adapters.piece import Channel, Piece
from inference.adapters.tool_calls.bracket_scanner import BracketScanner
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool

_HEADER_BEGINS = (CHANNEL, "assistant", "to=", START, MESSAGE)
_NEXT_MESSAGE_BEGINS = (START, CHANNEL, f"assistant{CHANNEL}", "assistant to=")
_CHANNEL_NAME = re.compile(rf"{re.escape(CHANNEL)}\s*(\w+)")
_RECIPIENT = re.compile(r"to=(?:functions\.)?([^\s<]+)")
_LONGEST_HEADER = 256


class HarmonyReader(ChannelReader):
    """Reads the messages of an answer one after the other, with one method for each state.

    1. `header`: up to <|message|>. It names the channel, and for a call the recipient. What cannot be a
       header, or names an unknown function, is text.
    2. `body`: up to the marker that ends the message. The arguments of a call end with their last bracket;
       a marker inside one of their strings is part of the string.
    3. `between`: another header, or text. <|start|> may be missing
       (https://github.com/vllm-project/vllm/issues/35906).
    4. `done`: after the only call that is allowed.
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
        self._call_count = 0
        self._has_begun = False
        self._arguments: BracketScanner | None = None  # while a call's arguments are open

    @property
    def is_done(self) -> bool:
        return self._state == "done"

    def feed(self, text: str) -> list[Piece]:
        self._rest += text
        pieces: list[Piece] = []
        while self._rest and not self.is_done and (found := self._advance()) is not None:
            pieces += found
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """The last pieces; a header that never ended has no message, so it has no text."""
        rest, self._rest = self._rest, ""
        is_headless = self._state == "header" and not (self._has_begun or _has_mark(rest))
        is_headless &= not (is_cut and self._is_forced)
        is_text = self._state == "body" or is_headless
        kept = _partial_mark(rest) if is_cut and is_text else len(rest) * (not is_text)
        self._has_dropped = kept > 0
        return self._pieces(rest[: len(rest) - kept])

    def _advance(self) -> list[Piece] | None:
        match self._state:
            case "header":
                return self._read_header()
            case "between":
                return self._read_between()
        return self._read_body()

    def _read_header(self) -> list[Piece] | None:
        header, found, rest = self._rest.partition(MESSAGE)
        if not _can_be_header(header + found):
            return self._begin("text")
        if not found:
            return None
        self._rest = rest
        # A broken header has no message, and another header follows it
        # (https://github.com/ggml-org/llama.cpp/issues/27720).
        header = header.rpartition(START)[2]
        recipient = _RECIPIENT.search(header)
        if recipient and self._format and recipient[1] in self._tools:
            return self._begin_call(recipient[1])
        if recipient:  # not the name of a tool
            return [*self._begin("text"), *self._pieces(header + found)]
        name = _CHANNEL_NAME.search(header)
        return self._begin("reasoning" if name and name[1] == "analysis" else "text")

    def _begin(self, channel: Channel) -> list[Piece]:
        self._state, self._channel, self._arguments = "body", channel, None
        self._has_begun = True
        return []

    def _begin_call(self, name: str) -> list[Piece]:
        self._begin("tool")
        self._arguments = BracketScanner(stops=(END, START))
        self._call_count += 1
        call_id = self._format.new_id() if self._format else ""
        return [Piece("tool", "", self._call_count - 1, call_id, name)]

    def _read_body(self) -> list[Piece] | None:
        if self._arguments:
            return self._read_arguments(self._arguments)
        ends = (END, START, CHANNEL)
        found = min(((at, mark) for mark in ends if (at := self._rest.find(mark)) >= 0), default=None)
        if found is None:
            kept = max(partial_length(self._rest, mark) for mark in ends)
            return self._pieces(self._take(len(self._rest) - kept)) or None
        if found[1] == CHANNEL:
            return self._read_new_channel(found[0])
        pieces = self._pieces(self._take(found[0]))
        was_call = self._channel == "tool"
        self._rest = self._rest.removeprefix(END)
        self._state = "done" if was_call and not self._several else "between"
        return pieces

    def _read_arguments(self, arguments: BracketScanner) -> list[Piece] | None:
        """Up to the bracket that closes them, or to a marker outside of strings."""
        kept = max(partial_length(self._rest, mark) for mark in (END, START))
        end = arguments.find_end(self._rest[: len(self._rest) - kept])
        if end is None and arguments.is_in_string:
            kept, end = 0, arguments.find_end(self._rest[len(self._rest) - kept :])
        if end is not None:
            self._arguments = None
            return self._pieces(self._take(end))
        return self._pieces(self._take(len(self._rest) - kept)) or None

    def _read_new_channel(self, at: int) -> list[Piece] | None:
        """A message may begin without the marker that ends the one before."""
        if at:
            return self._pieces(self._take(at))
        header, found, _ = self._rest.partition(MESSAGE)
        if not _can_be_header(header + found):
            return self._pieces(self._take(len(CHANNEL)))
        if not found:
            return None
        self._state = "done" if self._channel == "tool" and not self._several else "header"
        return []

    def _read_between(self) -> list[Piece] | None:
        begun = self._rest.lstrip()
        if any(begun.startswith(opener) for opener in _NEXT_MESSAGE_BEGINS):
            self._rest, self._state = begun.removeprefix(START), "header"
            return []
        if any(opener.startswith(begun) for opener in _NEXT_MESSAGE_BEGINS):
            return None
        if self._channel == "text":  # the marker was part of the text
            return [*self._pieces(END), *self._begin("text")]
        return self._begin("text")

    def _take(self, end: int) -> str:
        text, self._rest = self._rest[:end], self._rest[end:]
        return text

    def _pieces(self, text: str) -> list[Piece]:
        if not text:
            return []
        return [Piece(self._channel, text, self._call_count - 1 if self._channel == "tool" else 0)]


def _can_be_header(text: str) -> bool:
    begun = text.lstrip(" ")
    opens = any(begun.startswith(opener) or opener.startswith(begun) for opener in _HEADER_BEGINS)
    return opens and "\n" not in begun and len(text) <= _LONGEST_HEADER + len(MESSAGE)


def _has_mark(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def _partial_mark(text: str) -> int:
    """How many characters at the end are more than half of a marker, and not all of it."""
    return max((n for mark in MARKS if 2 * (n := partial_length(text, mark)) > len(mark)), default=0)

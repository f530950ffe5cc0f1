"""Finds the end of tool calls in a growing text, and gives their arguments on as they come."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from inference.requests import Tool

Channel = Literal["text", "reasoning", "tool"]
_BRACKET = re.compile(r'\\.|[\\"{}\[\]]', re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Some text of one channel; a call's first piece has its id and name, the others its arguments."""

    channel: Channel
    text: str
    call: int = 0
    id: str = ""
    name: str = ""


class Head:
    """What stands between the mark of a call and the first brace of its arguments.

    It is given as atoms, patterns of which none can match a part of another's text, so that it can also be
    said whether a text is the beginning of a head.
    """

    def __init__(self, *atoms: str) -> None:
        self._whole = re.compile("".join(atoms))
        beginning = ""
        for atom in reversed(atoms):
            beginning = f"(?:{atom}{beginning})?"
        self._beginning = re.compile(beginning)

    def match(self, text: str) -> re.Match[str] | None:
        """The head that `text` begins with, up to the brace; its group `name` is the function's."""
        return self._whole.match(text)

    def may_become(self, text: str) -> bool:
        return self._beginning.fullmatch(text) is not None


class Nesting:
    """Follows the brackets and strings of JSON that comes in pieces."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._is_in_string = False
        self._is_escaped = False

    def end_in(self, text: str) -> int | None:
        """Where in this piece the value's last bracket has closed: the index behind it."""
        start = int(self._is_escaped and bool(text))
        self._is_escaped = self._is_escaped and not text
        for found in _BRACKET.finditer(text, start):
            if self._closes(found[0]):
                return found.end()
        return None

    def _closes(self, mark: str) -> bool:
        if self._is_in_string:
            self._is_escaped = mark == "\\"
            self._is_in_string = mark != '"'
            return False
        self._is_in_string = mark == '"'
        self._depth += (mark in "{[") - (mark in "}]")
        return mark in "}]" and self._depth <= 0


class Manner(Protocol):
    """How calls are written, as reading them needs it; tool_formats.py has the manners."""

    @property
    def begin(self) -> str: ...

    @property
    def other_begins(self) -> Sequence[str]:
        """Other marks that a model is known to write in its place."""
        ...

    @property
    def end(self) -> str: ...

    @property
    def is_bare(self) -> bool:
        """Whether a call may begin the answer without a mark."""
        ...

    @property
    def bare_begin(self) -> str:
        """What such a call begins with."""
        ...

    @property
    def is_in_thoughts(self) -> bool:
        """Whether models call while they think, with no mark that they have thought enough."""
        ...

    @property
    def heads(self) -> Sequence[Head]: ...

    @property
    def is_object(self) -> bool:
        """Whether name and arguments are members of a JSON object."""
        ...

    @property
    def closing(self) -> Sequence[str]:
        """What may follow the arguments, each once and in this order, with white space between."""
        ...

    @property
    def separator(self) -> str:
        """Which of `closing` is followed by another call."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether what stands between `begin` and `end` is only understood as a whole: XML, Python."""
        ...

    @property
    def ends_with_answer(self) -> bool:
        """Whether the end of the answer ends such a body as well as its mark."""
        ...

    def may_become(self, body: str) -> bool:
        """Whether this can be the beginning of such a body."""
        ...

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        """Name and JSON arguments of each call between `begin` and `end`; none: it is text after all."""
        ...

    def new_id(self) -> str: ...


class CallReader:
    """Reads calls from behind their mark on. Feed it while it `is_open`, then take the `rest`.

    Nothing is told of a call before its name is known to be one of the `tools`' and its arguments begin.
    Until then it is only text that looks like a call, and if it comes to nothing, that text comes back.
    Arguments are given on as they are: a model that breaks their JSON is not corrected.
    """

    def __init__(self, manner: Manner, tools: Mapping[str, Tool], *, several: bool = True) -> None:
        self.manner = manner
        self.is_done = False  # the one call that was allowed is complete
        self.has_ended = False  # a call lies right before the rest
        self._tools = tools
        self._several = several
        self._calls = 0
        self._state: Callable[[], list[Piece] | None] | None = None
        self._mark = ""  # what comes back before the held text, as long as there is no call
        self._held = ""
        self._scanned = 0
        self._nesting = Nesting()
        self._expected: list[str] = []
        self._must_be_usual = False

    @property
    def is_open(self) -> bool:
        return self._state is not None

    def open(self, mark: str, *, must_be_usual: bool = False) -> None:
        """Begin to read a call behind `mark`; without a mark, only the usual order makes it one."""
        self._mark, self._held = mark, ""
        self._must_be_usual, self.has_ended = must_be_usual, False
        self._scanned = 0
        self._state = self._read_whole_body if self.manner.is_whole else self._read_head

    def feed(self, text: str) -> list[Piece]:
        """What is certain by now."""
        self._held += text
        pieces: list[Piece] = []
        while self._state and (told := self._state()) is not None:
            pieces += told
        return pieces

    def rest(self) -> str:
        """The text behind the calls."""
        rest, self._held = self._held, ""
        return rest

    def flush(self) -> list[Piece]:
        """What was held back and became no call, or only now is known to be one."""
        is_whole = self.manner.ends_with_answer and self._state == self._read_whole_body
        if is_whole and (told := self._tell(self._held)):
            self._held, self._state = "", None
            return told
        rest = self._mark + self.rest()
        self._mark, self._state = "", None
        return [Piece("text", rest)] if rest else []

    def _read_head(self) -> list[Piece] | None:
        match = next((match for head in self.manner.heads if (match := head.match(self._held))), None)
        if match:
            return (
                self._begin(match["name"], match.end() - 1)
                if match["name"] in self._tools
                else self._give_up()
            )
        if any(head.may_become(self._held) for head in self.manner.heads):
            return None
        before, brace, _ = self._held.partition("{")
        if self._must_be_usual or not self.manner.is_object or not brace or before.strip(" \t\r\n["):
            return self._give_up()
        return self._go(self._read_whole, len(before), Nesting())

    def _begin(self, name: str, start: int) -> list[Piece]:
        begun = Piece("tool", "", self._calls, self.manner.new_id(), name)
        self._calls += 1
        self._held, self._mark = self._held[start:], ""
        self._go(self._read_arguments, 0, Nesting())
        return [begun]

    def _read_arguments(self) -> list[Piece] | None:
        if not self._held:
            return None
        end = self._nesting.end_in(self._held)
        text = self._held[:end]
        self._held = self._held[len(text) :]
        if end is not None:
            self._close(list(self.manner.closing))
        return [Piece("tool", text, self._calls - 1)]

    def _read_whole(self) -> list[Piece] | None:
        """An object of which the name does not come first: it is known when it is complete."""
        end = self._end_of_held()
        given_up = self._held.find(self.manner.end) if self.manner.end else -1
        if end is None:
            return None if given_up < 0 else self._give_up()
        call = _call_in(self._held[self._held.index("{") : end])
        if not call or call[0] not in self._tools:
            return self._give_up()
        begun = self._begin(call[0], end)
        self._close([literal for literal in self.manner.closing if literal != "}"])
        return [*begun, Piece("tool", call[1], self._calls - 1)]

    def _read_whole_body(self) -> list[Piece] | None:
        """Calls in a notation that is not JSON: nothing is known of them before their end mark."""
        end = self.manner.end
        at = self._held.find(end, self._scanned)
        if at < 0:
            self._scanned = max(0, len(self._held) - len(end) + 1)
            return None if self.manner.may_become(self._held) else self._give_up()
        if not (told := self._tell(self._held[:at])):
            return self._give_up()
        self._held = self._held[at + len(end) :]
        self._close(list(self.manner.closing))
        return told

    def _tell(self, body: str) -> list[Piece]:
        """The calls of a whole body, or nothing where it is none."""
        calls = self.manner.parse(body, self._tools)
        told: list[Piece] = []
        if all(name in self._tools for name, _ in calls):
            for name, arguments in calls if self._several else calls[:1]:
                told += [*self._begin(name, 0), Piece("tool", arguments, self._calls - 1)]
        return told

    def _close(self, expected: list[str]) -> None:
        self._expected = expected
        self._state = self._read_closing
        if not self._several:
            self._state, self.is_done = None, True

    def _read_closing(self) -> list[Piece] | None:
        self._held = self._held.lstrip()
        if not self._held:
            return None
        if not self._expected:
            self._state, self.has_ended = None, True
            return []
        literal = self._expected[0]
        if literal == "}" and self._held.startswith(","):
            return self._go(self._read_others, 0, Nesting(depth=1))
        if not self._held.startswith(literal):
            return None if literal.startswith(self._held) else self._skip()
        self._held = self._held.removeprefix(literal)
        if literal == self.manner.separator:
            self._mark, self._must_be_usual, self._state = literal, False, self._read_head
        return self._skip()

    def _skip(self) -> list[Piece]:
        self._expected = self._expected[1:]
        return []

    def _read_others(self) -> list[Piece] | None:
        """Members behind the arguments, such as an id of the model's own."""
        end = self._end_of_held()
        if end is None:
            return None
        if _object_in("{" + self._held[1:end]) is None:
            self._state = None  # no members, so it is text
            return []
        self._held, self._state = self._held[end:], self._read_closing
        return self._skip()

    def _end_of_held(self) -> int | None:
        end = self._nesting.end_in(self._held[self._scanned :])
        start, self._scanned = self._scanned, len(self._held)
        return None if end is None else start + end

    def _go(self, state: Callable[[], list[Piece] | None], start: int, nesting: Nesting) -> list[Piece]:
        self._state, self._scanned, self._nesting = state, start, nesting
        return []

    def _give_up(self) -> list[Piece]:
        mark, self._mark, self._state = self._mark, "", None
        return [Piece("text", mark)] if mark else []


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _call_in(text: str) -> tuple[str, str] | None:
    """Name and arguments of a whole call, however its members are ordered."""
    call = _object_in(text) or {}
    arguments = call.get("arguments", call.get("parameters")) or {}
    if isinstance(arguments, str):  # JSON within JSON, as OpenAI's own API writes it
        arguments = _object_in(arguments)
    if not isinstance(call.get("name"), str) or not isinstance(arguments, dict):
        return None
    return call["name"], json.dumps(arguments)

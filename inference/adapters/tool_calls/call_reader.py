"""Finds the end of tool calls in a growing text, and gives their arguments on as they come."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from inference.adapters.tool_calls.bracket_scanner import BracketScanner
from inference.adapters.tool_calls.call_syntax import CallSyntax
from inference.core.requests import Tool

Channel = Literal["text", "reasoning", "tool"]
_SPACE = " \t\r\n"
_LONGEST_BEGINNING = 64  # characters before the first brace
_LONGEST_HEAD = 1024  # characters; what may be a call so far is one in its arguments
# What may stand in a call beside its name and its arguments.
_OTHERS = {"id", "type", "tool_call_id", "index"}


@dataclass(frozen=True)
class Piece:
    """Some text of one channel; a call's first piece has its id and name, the others its arguments."""

    channel: Channel
    text: str
    call: int = 0
    id: str = ""
    name: str = ""


def held_back(text: str, marker: str) -> int:
    """How many characters at the end of `text` could be the beginning of `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if marker.startswith(text[-n:])), 0)


class CallReader:
    """Reads calls from behind their mark on. Feed it while it `is_open`, then take the `rest`.

    Nothing is told of a call before its name is known to be one of the `tools`' and its arguments begin.
    Until then it is only text that looks like a call, and if it comes to nothing, that text comes back.
    Arguments are given on as they are: a model that breaks their JSON is not corrected. Where a call
    `is_forced`, nothing else can have been meant.
    """

    def __init__(
        self,
        manner: CallSyntax,
        tools: Mapping[str, Tool],
        *,
        several: bool = True,
        is_forced: bool = False,
        first: int = 0,
    ) -> None:
        self.manner = manner
        self.is_done = False  # the one call that was allowed is complete
        self.has_ended = False  # a call lies right before the rest
        self.is_forced = is_forced
        self.several = several
        self._tools = tools
        self._calls = first
        self._state: Callable[[], list[Piece] | None] | None = None
        self._mark = ""  # what comes back before the held text, as long as there is no call
        self._held = ""
        self._scanned = 0
        self._nesting = BracketScanner()
        self._expected: list[str] = []
        self._must_be_usual = False
        self.has_dropped = False  # at the end, markup that is in no piece
        self._stops = [mark for mark in {*manner.closing, manner.end} if len(mark) > 1]

    @property
    def is_open(self) -> bool:
        return self._state is not None

    def another(self) -> "CallReader":
        """A reader that has read nothing; its calls are numbered from here on."""
        return CallReader(self.manner, self._tools, first=self._calls)

    def count(self, calls: int) -> None:
        """So many calls were read by another."""
        self._calls += calls
        self.has_ended = True
        self.is_done = not self.several

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

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """What is known now that no text follows; the `rest` may hold other calls.

        With `is_cut` the answer was not at its end: what may have become a call is markup and is dropped.
        """
        state, self._state = self._state, None
        if state == self._read_arguments:
            return self._last_arguments(is_cut)
        if state in (self._read_closing, self._read_others):
            self._drop_closing(is_cut)
            return []
        if state == self._read_whole_body and (told := self._last_calls(is_cut)):
            return told
        is_list_open = self._mark == self.manner.separator != "" and not self._held.strip()
        if is_list_open or (is_cut and self._may_be_call()):
            self._mark = self._held = ""
            self.has_dropped = True
            return []
        return self._give_up()

    def abandon(self) -> list[Piece]:
        """All that is held, as the text it seems to be."""
        self._state = None
        return [Piece("text", self._mark + self.rest())]

    def _last_arguments(self, is_cut: bool) -> list[Piece]:
        text = self.rest()
        is_mark = is_cut and not self._nesting.is_in_string
        return [Piece("tool", text, self._calls - 1)] if text and not is_mark else []

    def _drop_closing(self, is_cut: bool) -> None:
        """The beginning of a mark behind a complete call is none of the answer's text."""
        is_mark = any(literal.startswith(self._held) for literal in self._expected)
        if is_mark or (is_cut and self._held.startswith(",")):
            self.has_dropped |= bool(self._held)
            self._held = ""

    def _last_calls(self, is_cut: bool) -> list[Piece]:
        """The calls of a body that has no end mark, or only the beginning of one."""
        end = self.manner.end
        if self.manner.ends_with_answer:
            whole = self._held[: len(self._held) - held_back(self._held, end)]
            if told := self._tell(self._held) or self._tell(whole):
                return self._end(told, "")
        body, found, rest = self._held.partition(end)
        if is_cut or not found or (rest.strip() and not rest.lstrip().startswith(self.manner.begin)):
            return []
        told = self._begun(self.manner.mended(body, self._tools))
        return self._end(told, rest) if told else []

    def _end(self, told: list[Piece], rest: str) -> list[Piece]:
        self._close([])
        self._state, self._held, self.has_ended = None, rest, True
        return told

    def _may_be_call(self) -> bool:
        """Whether what is held can be nothing but the beginning of a call."""
        if self.is_forced:
            return True
        name = self.manner.named(self._held)
        return name in self._tools or (name is None and bool(self._mark.strip()))

    def _read_head(self) -> list[Piece] | None:
        if self._mark == self.manner.separator != "" and self._held.lstrip().startswith("]"):
            return self._leave_list()
        match = next((match for head in self.manner.heads if (match := head.match(self._held))), None)
        if match and match["name"] in self._tools:
            return self._begin(match["name"], match.end() - 1)
        if match:
            return self._give_up()
        if any(head.may_become(self._held) for head in self.manner.heads):
            return None
        before, brace, _ = self._held.partition("{")
        is_begun = len(before) <= _LONGEST_BEGINNING and not before.strip(f"{_SPACE}[")
        if self._must_be_usual or not (self.manner.is_object and is_begun):
            return self._give_up()
        return self._go(self._read_whole, len(before)) if brace else None

    def _begin(self, name: str, start: int) -> list[Piece]:
        begun = Piece("tool", "", self._calls, self.manner.new_id(), name)
        self._calls += 1
        self._held, self._mark = self._held[start:], ""
        self._go(self._read_arguments, 0)
        return [begun]

    def _read_arguments(self) -> list[Piece] | None:
        end = self._end_of_held()
        text = self._held[: self._scanned if end is None else end]
        self._held, self._scanned = self._held[len(text) :], 0
        if end is not None:
            self._close(list(self.manner.closing))
        return [Piece("tool", text, self._calls - 1)] if text or end is not None else None

    def _read_whole(self) -> list[Piece] | None:
        """An object of which the name does not come first: it is known when it is complete."""
        end = self._end_of_held()
        if end is None:
            return None
        call = None if self._nesting.is_stopped else self._call_in(self._held[self._held.index("{") : end])
        if not call or call[0] not in self._tools:
            return self._give_up()
        begun = self._begin(call[0], end)
        self._close([literal for literal in self.manner.closing if literal != "}"])
        return [*begun, Piece("tool", call[1], self._calls - 1)]

    def _read_whole_body(self) -> list[Piece] | None:
        """Calls in a notation that is not JSON: nothing is known of them before their end mark."""
        end = self.manner.end
        while (at := self._held.find(end, self._scanned)) >= 0:
            if told := self._tell(self._held[:at]):
                self._held = self._held[at + len(end) :]
                self._close(list(self.manner.closing))
                return told
            if not self.manner.may_go_on(self._held[:at], self._tools):
                return self._give_up()
            self._scanned = at + len(end)
        self._scanned = max(self._scanned, len(self._held) - len(end) + 1)
        is_known = len(self._held) > _LONGEST_HEAD or self.manner.may_become(self._held)
        return None if is_known else self._give_up()

    def _tell(self, body: str) -> list[Piece]:
        """The calls of a whole body, or nothing where it is none."""
        return self._begun(self.manner.parse(body, self._tools))

    def _begun(self, calls: Sequence[tuple[str, str]]) -> list[Piece]:
        told: list[Piece] = []
        if all(name in self._tools for name, _ in calls):
            for name, arguments in calls if self.several else calls[:1]:
                told += [*self._begin(name, 0), Piece("tool", arguments, self._calls - 1)]
        return told

    def _close(self, expected: list[str]) -> None:
        self._expected = expected
        self._state = self._read_closing
        if not self.several:
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
            return self._go(self._read_others, 0, depth=1)
        if self._is_another():
            return self._go_on("")
        if not self._held.startswith(literal):
            return None if literal.startswith(self._held) else self._skip()
        self._held = self._held.removeprefix(literal)
        return self._go_on(literal) if literal == self.manner.separator else self._skip()

    def _is_another(self) -> bool:
        """Whether a call follows in the same marks, with nothing between the two."""
        may_follow = self.manner.is_object and not self.manner.is_bare and "}" not in self._expected
        return may_follow and self._held.startswith("{")

    def _go_on(self, mark: str) -> list[Piece]:
        """Read the next call of a list."""
        self._mark, self._must_be_usual, self._state = mark, False, self._read_head
        return []

    def _leave_list(self) -> list[Piece]:
        """Behind a comma there is no other call."""
        closing = list(self.manner.closing)
        self._mark, self._expected = "", closing[closing.index(self.manner.separator) + 1 :]
        self._state = self._read_closing
        return []

    def _skip(self) -> list[Piece]:
        self._expected = self._expected[1:]
        return []

    def _read_others(self) -> list[Piece] | None:
        """Members behind the arguments, such as an id of the model's own."""
        end = self._end_of_held()
        if end is None:
            return None
        if self._nesting.is_stopped or _object_in("{" + self._held[1:end]) is None:
            self._state = None  # no members, so it is text
            return []
        self._held, self._state = self._held[end:], self._read_closing
        return self._skip()

    def _end_of_held(self) -> int | None:
        """Where the brackets of the held text close; what may become a mark that stops them has to wait."""
        kept = max((held_back(self._held, stop) for stop in self._stops), default=0)
        for until in (len(self._held) - kept, len(self._held)):
            start, self._scanned = self._scanned, max(self._scanned, until)
            end = self._nesting.end_in(self._held[start : self._scanned])
            if end is not None:
                return start + end
            if not self._nesting.is_in_string:
                return None
        return None

    def _call_in(self, text: str) -> tuple[str, str] | None:
        """Name and arguments of a whole call, however its members are ordered."""
        call = _object_in(text) or {}
        name = call.pop(self.manner.name_key, None)
        given = [call.pop(key, None) for key in ("arguments", "parameters")]
        arguments = next((one for one in given if one is not None), None)
        if isinstance(arguments, str):  # JSON within JSON, as OpenAI's own API writes it
            arguments = _object_in(arguments or "{}")
        elif arguments is None and not call.keys() - _OTHERS:
            arguments = {}
        if not isinstance(name, str) or not (isinstance(arguments, dict) or arguments == []):
            return None
        return name, json.dumps(arguments or {})

    def _go(self, state: Callable[[], list[Piece] | None], start: int, *, depth: int = 0) -> list[Piece]:
        self._state, self._scanned, self._nesting = state, start, BracketScanner(depth, self._stops)
        return []

    def _give_up(self) -> list[Piece]:
        mark, self._mark, self._state = self._mark, "", None
        return [Piece("text", mark)] if mark else []


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _finite(digits: str) -> float:
    return float(digits) if isfinite(float(digits)) else _refused(digits)

"""Parses tool calls in a growing text, and streams their arguments."""

from collections.abc import Callable, Mapping, Sequence

from inference.adapters.piece import Piece
from inference.adapters.tool_calls.call_body import CallBodyReader
from inference.adapters.tool_calls.held_text import HeldText
from inference.adapters.tool_calls.json_call import parse_call, parse_object
from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.core.requests import Tool

_SPACE = " \t\r\n"
_LONGEST_BEGINNING = 64  # characters before the first brace


class CallReader:
    """Parses calls from behind their marker on. Feed it while it `is_open`, then take the rest.

    No piece of a call is returned before its name is known to be one of the `tools` and its arguments begin.
    Until then it is only text that looks like a call, and if it turns out not to be one, this text comes
    back. Arguments are returned as the model writes them: invalid JSON is not corrected. With `is_forced`, a
    call is required, so what is held back can be nothing else.

    A call whose arguments are JSON goes through these states, each a method that returns the pieces that are
    certain, or None if it needs more text:

    1. `_read_prefix` waits for the name and the brace of the arguments. If the object begins with other
       members, `_read_object` waits for the whole of it.
    2. `_read_arguments` returns the text up to the last bracket. A marker outside of strings ends it, too.
    3. `_read_closing` skips what closes the call, and recognises a further call of a list.
    4. `_read_other_members` skips the members behind the arguments, such as an id of the model's own.

    All other syntaxes have one state instead of 1 and 2, `_read_body`: it waits for a complete body
    (call_body.py).
    """

    def __init__(
        self,
        call_format: ToolFormat,
        tools: Mapping[str, Tool],
        *,
        several: bool = True,
        is_forced: bool = False,
        first: int = 0,
    ) -> None:
        self.call_format = call_format
        self.is_done = False  # the one call that was allowed is complete
        self.has_ended = False  # a call is right before the rest
        self.is_forced = is_forced
        self.several = several
        self.has_dropped = False  # at the end, markup that is in no piece
        self._tools = tools
        self._calls = first
        self._state: Callable[[], list[Piece] | None] | None = None
        self._mark = ""  # comes back in front of the held text, if this is no call
        self._held = HeldText([mark for mark in {*call_format.closing, call_format.end} if len(mark) > 1])
        self._body = CallBodyReader(call_format, tools)
        self._expected: list[str] = []
        self._requires_usual_order = False

    @property
    def is_open(self) -> bool:
        """Whether a call, or what may become one, is being read."""
        return self._state is not None

    def fresh(self) -> "CallReader":
        """A reader that has read nothing; it numbers its calls from here on."""
        return CallReader(self.call_format, self._tools, first=self._calls)

    def add_calls(self, count: int) -> None:
        """Count calls that a `fresh` reader has read, and which end right before the next text."""
        self._calls += count
        self.has_ended = True
        self.is_done = not self.several

    def open(self, mark: str, *, requires_usual_order: bool = False) -> None:
        """Begin to read a call behind `mark`; `requires_usual_order` is for a call without a marker."""
        self._mark = mark
        self._held.take(len(self._held.text))
        self._requires_usual_order, self.has_ended = requires_usual_order, False
        self._state = self._read_body if self.call_format.is_parsed_whole else self._read_prefix

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain after this text."""
        self._held.text += text
        pieces: list[Piece] = []
        while self._state and (found := self._state()) is not None:
            pieces += found
        return pieces

    def take_rest(self) -> str:
        """Remove and return the text behind the calls."""
        return self._held.take(len(self._held.text))

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """The last pieces, once no text follows; the rest may hold other calls.

        With `is_cut` the answer was truncated: what may have become a call is markup and is dropped.
        """
        state, self._state = self._state, None
        if state == self._read_arguments:
            return self._last_arguments(is_cut)
        if state in (self._read_closing, self._read_other_members):
            self._drop_closing(is_cut)
            return []
        if state == self._read_body and (pieces := self._last_calls(is_cut)):
            return pieces
        is_list_open = self._mark == self.call_format.separator != "" and not self._held.text.strip()
        if is_list_open or (is_cut and self._is_certain()):
            self._mark = self._held.text = ""
            self.has_dropped = True
            return []
        return self._reject()

    def abandon(self) -> list[Piece]:
        """Stop reading, and return everything that is held as text."""
        self._state = None
        return [Piece("text", self._mark + self.take_rest())]

    def _last_arguments(self, is_cut: bool) -> list[Piece]:
        text = self.take_rest()
        is_mark = is_cut and not self._held.is_in_string
        return [Piece("tool", text, self._calls - 1)] if text and not is_mark else []

    def _drop_closing(self, is_cut: bool) -> None:
        """Drop the beginning of a marker behind a complete call: it is not part of the text."""
        held = self._held.text
        is_mark = any(literal.startswith(held) for literal in self._expected)
        if is_mark or (is_cut and held.startswith(",")):
            self.has_dropped |= bool(held)
            self._held.text = ""

    def _last_calls(self, is_cut: bool) -> list[Piece]:
        calls, rest = self._body.last_calls(self._held.text, is_cut=is_cut)
        if not calls:
            return []
        pieces = self._pieces_of(calls)
        self._expect([])
        self._state, self._held.text, self.has_ended = None, rest, True
        return pieces

    def _is_certain(self) -> bool:
        """Whether what is held can be nothing but the beginning of a call."""
        if self.is_forced:
            return True
        name = self.call_format.function_name(self._held.text)
        return name in self._tools or (name is None and bool(self._mark.strip()))

    def _read_prefix(self) -> list[Piece] | None:
        held = self._held.text
        if self._mark == self.call_format.separator != "" and held.lstrip().startswith("]"):
            return self._leave_list()
        prefixes = self.call_format.prefixes
        match = next((match for prefix in prefixes if (match := prefix.match(held))), None)
        if match and match["name"] in self._tools:
            return self._begin_call(match["name"], match.end() - 1)
        if match:
            return self._reject()
        if any(prefix.can_become(held) for prefix in prefixes):
            return None
        before, brace, _ = held.partition("{")
        is_begun = len(before) <= _LONGEST_BEGINNING and not before.strip(f"{_SPACE}[")
        if self._requires_usual_order or not (self.call_format.is_object and is_begun):
            return self._reject()
        return self._scan(self._read_object, len(before)) if brace else None

    def _begin_call(self, name: str, start: int) -> list[Piece]:
        """The first piece of a call, whose arguments begin at `start`."""
        begun = Piece("tool", "", self._calls, self.call_format.new_id(), name)
        self._calls += 1
        self._held.take(start)
        self._mark = ""
        self._scan(self._read_arguments, 0)
        return [begun]

    def _read_arguments(self) -> list[Piece] | None:
        end = self._held.find_value_end()
        text = self._held.take(self._held.scanned if end is None else end)
        if end is not None:
            self._expect(list(self.call_format.closing))
        return [Piece("tool", text, self._calls - 1)] if text or end is not None else None

    def _read_object(self) -> list[Piece] | None:
        """An object of which the name does not come first: it is known when it is complete."""
        end = self._held.find_value_end()
        if end is None:
            return None
        text = self._held.text[self._held.text.index("{") : end]
        call = None if self._held.is_stopped else parse_call(text, self.call_format.name_key)
        if not call or call[0] not in self._tools:
            return self._reject()
        begun = self._begin_call(call[0], end)
        self._expect([literal for literal in self.call_format.closing if literal != "}"])
        return [*begun, Piece("tool", call[1], self._calls - 1)]

    def _read_body(self) -> list[Piece] | None:
        calls = self._body.take_calls(self._held)
        if not calls:
            return None if calls is None else self._reject()
        pieces = self._pieces_of(calls)
        self._expect(list(self.call_format.closing))
        return pieces

    def _pieces_of(self, calls: Sequence[tuple[str, str]]) -> list[Piece]:
        """The pieces of complete calls."""
        pieces: list[Piece] = []
        for name, arguments in calls if self.several else calls[:1]:
            pieces += [*self._begin_call(name, 0), Piece("tool", arguments, self._calls - 1)]
        return pieces

    def _expect(self, closing: list[str]) -> None:
        """A call is complete, except for what closes it."""
        self._expected = closing
        self._state = self._read_closing
        if not self.several:
            self._state, self.is_done = None, True

    def _read_closing(self) -> list[Piece] | None:
        held = self._held
        held.text = held.text.lstrip()
        if not held.text:
            return None
        if not self._expected:
            self._state, self.has_ended = None, True
            return []
        literal = self._expected[0]
        if literal == "}" and held.text.startswith(","):
            return self._scan(self._read_other_members, 0, depth=1)
        if self._is_call_next():
            return self._read_next_call("")
        if not held.text.startswith(literal):
            return None if literal.startswith(held.text) else self._skip_expected()
        held.text = held.text.removeprefix(literal)
        return (
            self._read_next_call(literal) if literal == self.call_format.separator else self._skip_expected()
        )

    def _is_call_next(self) -> bool:
        """Whether a call follows within the same markers, with nothing between the two."""
        may_follow = self.call_format.is_object and not self.call_format.is_bare and "}" not in self._expected
        return may_follow and self._held.text.startswith("{")

    def _read_next_call(self, mark: str) -> list[Piece]:
        self._mark, self._requires_usual_order, self._state = mark, False, self._read_prefix
        return []

    def _leave_list(self) -> list[Piece]:
        """Behind a comma there is no other call."""
        closing = list(self.call_format.closing)
        self._mark, self._expected = "", closing[closing.index(self.call_format.separator) + 1 :]
        self._state = self._read_closing
        return []

    def _skip_expected(self) -> list[Piece]:
        self._expected = self._expected[1:]
        return []

    def _read_other_members(self) -> list[Piece] | None:
        end = self._held.find_value_end()
        if end is None:
            return None
        if self._held.is_stopped or parse_object("{" + self._held.text[1:end]) is None:
            self._state = None  # not members, so it is text
            return []
        self._held.take(end)
        self._state = self._read_closing
        return self._skip_expected()

    def _scan(self, state: Callable[[], list[Piece] | None], start: int, *, depth: int = 0) -> list[Piece]:
        """Enter a state that looks for the end of a JSON value."""
        self._state = state
        self._held.start_value(start, depth=depth)
        return []

    def _reject(self) -> list[Piece]:
        """It is no call: its marker is text, and the held text is the rest."""
        mark, self._mark, self._state = self._mark, "", None
        return [Piece("text", mark)] if mark else []

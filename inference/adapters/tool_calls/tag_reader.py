"""Parses calls whose arguments are between tags, without quotes and with no way to escape a tag.

A value may contain the text of any tag: what follows a tag decides whether it ends the value. If a value
contains a tag that opens another argument and none that closes it, a closing tag is missing and the end of
the value is ambiguous, so it is no call (https://github.com/vllm-project/vllm/issues/57699).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, Unfinished
from inference.adapters.tool_calls.string_escapes import json_string
from inference.core.requests import Tool

_SPACE = re.compile(r"[ \t\r\n]*")
_BRACKETS = ("[", "{", '"')


class Tags(Protocol):
    """The tags of a format."""

    @property
    def begin(self) -> str:
        """The marker of a call, or of several."""
        ...

    @property
    def call_tag(self) -> re.Pattern[str]:
        """Opens a call; its group `name` is the function's."""
        ...

    @property
    def call_end(self) -> str:
        """Closes a call; empty if it ends with the body."""
        ...

    @property
    def key_tag(self) -> re.Pattern[str]:
        """Opens an argument; its group `key` is the parameter's."""
        ...

    @property
    def value_tag(self) -> str:
        """Closes an argument."""
        ...

    @property
    def opening_tag(self) -> str:
        """The tag of an argument's value behind that of its key, if there is one; it may be missing."""
        ...

    @property
    def is_lenient(self) -> bool:
        """Whether a missing `value_tag` is assumed before the next tag: values cannot contain such tags."""
        ...

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        """The JSON of an argument with this text, which the tag `found` opened; raises ValueError."""
        ...


class TagReader:
    """Parses one body.

    1. Read the tag of a call; its name must be one of the `tools`.
    2. Read arguments up to the end of the call. For each, find the first place where its value may end: at a
       closing tag with another argument or the end of the call behind it, or where a list or number ends by
       itself. Half a list is rejected as a value, and the next place is tried.
    3. Repeat until the body ends.

    With `is_last` no more text comes, so the last tag may be missing as well.
    """

    def __init__(self, tags: Tags, body: str, tools: Mapping[str, Tool], *, is_last: bool = False) -> None:
        self._tags = tags
        self._body = body
        self._tools = tools
        self._is_last = is_last

    def calls(self) -> list[tuple[str, str]]:
        """Name and JSON arguments of each call; raises ValueError, or Unfinished inside a value."""
        calls = []
        place = self._skip(0)
        while place < len(self._body):
            found = self._tags.call_tag.match(self._body, place)
            if not found or found["name"] not in self._tools:
                raise ValueError("no tool of this name is called")
            schema = Schema.of(self._tools[found["name"]].parameters)
            arguments, place = self._arguments(found.end(), schema)
            calls.append((found["name"], arguments))
            place = self._skip(place)
        return calls

    def _arguments(self, place: int, schema: Schema) -> tuple[str, int]:
        """The arguments as JSON, and the index behind the end of their call."""
        values: dict[str, str] = {}
        while not self._ends_call(place := self._skip(place)):
            found = self._tags.key_tag.match(self._body, place)
            if not found:
                raise ValueError("something else stands where an argument should")
            value, place = self._value(found, schema.member(found["key"]))
            if values.setdefault(found["key"], value) != value:
                raise ValueError("an argument is given twice")
        members = ", ".join(f"{json_string(key)}: {value}" for key, value in values.items())
        return f"{{{members}}}", place + len(self._tags.call_end)

    def _value(self, found: re.Match[str], schema: Schema) -> tuple[str, int]:
        may_be_missing = self._tags.is_lenient and found[0].endswith(self._tags.opening_tag)
        for end, behind in self._ends(found.end(), schema, may_be_missing):
            try:
                return self._tags.value(self._body[found.end() : end], found, schema), behind
            except ValueError:
                continue  # half a list: the other half is behind what looked like the end
        raise Unfinished("an argument does not end")

    def _ends(self, start: int, schema: Schema, may_be_missing: bool) -> Iterator[tuple[int, int]]:
        """Where the value that begins at `start` may end, each with the index behind its closing tag."""
        if literal := self._end_of_literal(start, schema, may_be_missing):
            yield literal
        place, opened = start, self._tags.key_tag.search(self._body, start)
        while (at := self._body.find(self._tags.value_tag, place)) >= 0:
            place = at + len(self._tags.value_tag)
            is_inner = opened is not None and opened.start() < at
            if self._is_next(place):
                yield self._missing_end(start, opened, may_be_missing) if is_inner and opened else (at, place)
            if is_inner:
                opened = self._tags.key_tag.search(self._body, place)
        if may_be_missing and self._is_last and not opened:
            yield len(self._body.rstrip()), len(self._body)

    def _missing_end(self, start: int, opened: re.Match[str], may_be_missing: bool) -> tuple[int, int]:
        """Where a value without a closing tag ends; raises ValueError if the tag is required."""
        text = self._body[start : opened.start()].rstrip()
        if not may_be_missing or self._tags.begin in text:
            raise ValueError("a closing tag is missing")
        return start + len(text), opened.start()

    def _end_of_literal(self, start: int, schema: Schema, may_be_missing: bool) -> tuple[int, int] | None:
        """Where a list or a number ends by itself, if a tag is next: its strings may contain any tag."""
        read = Literals(self._body, self._skip(start))
        if schema.is_string or (schema.accepts_string and not self._body.startswith(_BRACKETS, read.place)):
            return None
        try:
            read.value()
        except (ValueError, RecursionError):
            return None
        place = self._skip(read.place)
        behind = place + len(self._tags.value_tag)
        if self._body.startswith(self._tags.value_tag, place) and self._is_next(behind):
            return read.place, behind
        is_certain = may_be_missing and not schema.accepts_string
        return (read.place, place) if is_certain and self._is_next(place) else None

    def _is_next(self, place: int) -> bool:
        """Whether another argument or the end of the call comes at this index, white space aside."""
        place = self._skip(place)
        return self._ends_call(place) or self._tags.key_tag.match(self._body, place) is not None

    def _ends_call(self, place: int) -> bool:
        if not self._body.startswith(self._tags.call_end, place):
            return False
        behind = self._skip(place + len(self._tags.call_end))
        is_followed = bool(self._tags.call_end) and self._tags.call_tag.match(self._body, behind) is not None
        return is_followed or behind == len(self._body)

    def _skip(self, place: int) -> int:
        found = _SPACE.match(self._body, place)
        return found.end() if found else place

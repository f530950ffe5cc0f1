"""Reads calls whose arguments stand in tags, with no JSON around them and nothing that escapes a tag.

A value may hold the text of any tag: what follows a tag decides whether it ends the value. Where a value
holds a tag that opens another argument, and none that closes that one, a closing tag was forgotten and
nobody can say where the value ends, so it is no call (https://github.com/vllm-project/vllm/issues/57699).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, Unfinished, json_string
from inference.core.requests import Tool

_SPACE = re.compile(r"[ \t\r\n]*")
_BRACKETS = ("[", "{", '"')


class Tags(Protocol):
    """How the tags of a manner are written."""

    @property
    def begin(self) -> str:
        """The mark of a call, or of several."""
        ...

    @property
    def call_tag(self) -> re.Pattern[str]:
        """Opens a call; its group `name` is the function's."""
        ...

    @property
    def call_end(self) -> str:
        """Closes a call; empty where it ends with the body."""
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
        """Where an argument has a tag of its own behind that of its key, which may be forgotten: this."""
        ...

    @property
    def is_mended(self) -> bool:
        """Whether a forgotten `value_tag` is put where the next tag is: no text of a value has such tags."""
        ...

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        """The JSON of an argument, given the text between its tags and what opened it; raises ValueError."""
        ...


class TagReader:
    """Reads one body; raises ValueError where that is no call, and Unfinished within a value.

    With `is_last` no more text comes, so that a forgotten tag may be missing at the end as well.
    """

    def __init__(self, tags: Tags, body: str, tools: Mapping[str, Tool], *, is_last: bool = False) -> None:
        self._tags = tags
        self._body = body
        self._tools = tools
        self._is_last = is_last

    def calls(self) -> list[tuple[str, str]]:
        """Name and JSON arguments of each call."""
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
        """The arguments as JSON, and what place is behind the end of their call."""
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
        may_be_forgotten = self._tags.is_mended and found[0].endswith(self._tags.opening_tag)
        for end, behind in self._ends(found.end(), schema, may_be_forgotten):
            try:
                return self._tags.value(self._body[found.end() : end], found, schema), behind
            except ValueError:
                continue  # half a list: its other half is behind what looked like the end
        raise Unfinished("an argument does not end")

    def _ends(self, start: int, schema: Schema, may_be_forgotten: bool) -> Iterator[tuple[int, int]]:
        """Where the value that begins at `start` may end, each with the place behind its closing tag."""
        if literal := self._end_of_literal(start, schema, may_be_forgotten):
            yield literal
        place, opened = start, self._tags.key_tag.search(self._body, start)
        while (at := self._body.find(self._tags.value_tag, place)) >= 0:
            place = at + len(self._tags.value_tag)
            is_inner = opened is not None and opened.start() < at
            if self._is_next(place):
                yield self._forgotten(start, opened, may_be_forgotten) if is_inner and opened else (at, place)
            if is_inner:
                opened = self._tags.key_tag.search(self._body, place)
        if may_be_forgotten and self._is_last and not opened:
            yield len(self._body.rstrip()), len(self._body)

    def _forgotten(self, start: int, opened: re.Match[str], may_be_forgotten: bool) -> tuple[int, int]:
        """Where a value ends that is followed by another argument and has no tag of its own."""
        text = self._body[start : opened.start()].rstrip()
        if not may_be_forgotten or self._tags.begin in text:
            raise ValueError("a closing tag is missing")
        return start + len(text), opened.start()

    def _end_of_literal(self, start: int, schema: Schema, may_be_forgotten: bool) -> tuple[int, int] | None:
        """Where a list or a number ends by itself, if a tag is next: its strings may hold any tag."""
        read = Literals(self._body, self._skip(start))
        if schema.is_text or (schema.takes_text and not self._body.startswith(_BRACKETS, read.place)):
            return None
        try:
            read.value()
        except (ValueError, RecursionError):
            return None
        place = self._skip(read.place)
        behind = place + len(self._tags.value_tag)
        if self._body.startswith(self._tags.value_tag, place) and self._is_next(behind):
            return read.place, behind
        is_certain = may_be_forgotten and not schema.takes_text
        return (read.place, place) if is_certain and self._is_next(place) else None

    def _is_next(self, place: int) -> bool:
        """Whether another argument or the end of the call is here."""
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

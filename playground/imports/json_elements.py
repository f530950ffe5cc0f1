"""The chats of a JSON file as texts, one at a time: files of gigabytes are never in memory as a whole."""

import re
from collections.abc import Iterator
from typing import TextIO

MAX_ELEMENT = 128 * 2**20  # characters of one chat, in which pictures are base64
_CHUNK = 256 * 1024
# An object that contains a list of chats, after fields that are neither lists nor objects.
_WRAPPED = re.compile(
    r'\s*\{(?:\s*"[^"\\]*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+)\s*,)*'
    r'\s*"(?:conversations|chats|data)"\s*:\s*\['
)
_OUTSIDE = re.compile(r'["\[\]{}]')
_REST_OF_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.S)


class NotJSON(ValueError):
    """The file is neither a list nor an object."""


class UnreadableElement(str):
    """Why an element cannot be read, in its place."""


def elements(stream: TextIO) -> Iterator[str]:
    """Each object of the list in `stream`, or the one object that it is, as text.

    An element that is too long or cut off is an `UnreadableElement`. Only the nesting is looked at: whether
    an element is valid JSON is for its reader to say, so that a broken one does not spoil the others.
    Raises NotJSON.
    """
    head = stream.read(_CHUNK).removeprefix("\ufeff")
    wrapped = _WRAPPED.match(head)
    start = head.lstrip()[:1]
    if wrapped:
        splitter, head = _Splitter(is_list=True), head[wrapped.end() :]
    elif start == "[":
        splitter, head = _Splitter(is_list=True), head.lstrip()[1:]
    elif start == "{":
        splitter = _Splitter(is_list=False)
    else:
        raise NotJSON
    yield from splitter.feed(head)
    while not splitter.is_over and (chunk := stream.read(_CHUNK)):
        yield from splitter.feed(chunk)
    yield from splitter.end()


class _Splitter:
    """Follows strings and brackets across chunks."""

    def __init__(self, is_list: bool) -> None:
        self._is_list = is_list
        self.is_over = False
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False
        self._parts: list[str] = []
        self._length = 0

    def feed(self, chunk: str) -> Iterator[str]:
        """The elements that end in this chunk."""
        at, start = 0, 0
        while not self.is_over:
            found = self._next(chunk, at)
            if found is None:
                break
            at = found + 1
            sign = chunk[found]
            if sign == '"':
                self._is_in_string = not self._is_in_string
            elif sign in "[{":
                start = found if self._depth == 0 else start
                self._depth += 1
            elif self._depth == 0:
                self.is_over = True  # the end of the list
            else:
                self._depth -= 1
                if self._depth == 0:
                    self._keep(chunk[start:at])
                    yield self._taken()
                    self.is_over = not self._is_list
        if self._depth:
            self._keep(chunk[start:])

    def end(self) -> Iterator[str]:
        """The element that the file does not end, if there is one."""
        if self._depth:
            yield UnreadableElement("It is cut off: the file ends in the middle of a chat.")

    def _next(self, chunk: str, at: int) -> int | None:
        """The place of the next bracket or of the next quote that begins or ends a string."""
        if self._is_in_string:
            rest = _REST_OF_STRING.match(chunk, at + self._is_escaped)
            end = rest.end() if rest else len(chunk)
            self._is_escaped = end < len(chunk) and chunk[end] == "\\"
            return end if end < len(chunk) and not self._is_escaped else None
        found = _OUTSIDE.search(chunk, at)
        return found.start() if found else None

    def _keep(self, part: str) -> None:
        self._length += len(part)
        if self._length > MAX_ELEMENT:
            self._parts.clear()
        else:
            self._parts.append(part)

    def _taken(self) -> str:
        text, length = "".join(self._parts), self._length
        self._parts, self._length = [], 0
        return text if length <= MAX_ELEMENT else UnreadableElement("It is larger than 128 MB.")

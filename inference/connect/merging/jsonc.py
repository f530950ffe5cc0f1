"""JSON with comments and trailing commas, as editors write it, read with the place of each value."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"-?[0-9][0-9.eE+-]*|true|false|null")
_DEEPEST = 100


class BrokenJson(Exception):
    """The text is no JSON; `line` is where that shows."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass
class JsonNode:
    """A value: `start` and `end` are its place in the text."""

    start: int
    end: int
    value: Any
    members: dict[str, "JsonNode"] = field(default_factory=dict)  # of an object
    has_trailing_comma: bool = False
    after_last: int = 0  # behind its last member and the comma there


def read(text: str) -> JsonNode:
    """The value of a text; raises BrokenJson, also for a key that an object has twice."""
    reader = _JsonReader(text)
    node = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise reader.broken()
    return node


class _JsonReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self.skip()

    def skip(self) -> None:
        found = _BLANK.match(self._text, self.at)
        self.at = found.end() if found else self.at

    def broken(self) -> BrokenJson:
        return BrokenJson(self._text.count("\n", 0, self.at) + 1)

    def value(self, depth: int) -> JsonNode:
        if depth > _DEEPEST:
            raise self.broken()
        opening = self._text[self.at : self.at + 1]
        if opening == "{":
            return self._object(depth)
        return self._array(depth) if opening == "[" else self._scalar()

    def _scalar(self) -> JsonNode:
        found = _STRING.match(self._text, self.at) or _WORD.match(self._text, self.at)
        if not found:
            raise self.broken()
        try:
            value = json.loads(found[0])
        except ValueError:
            raise self.broken() from None
        self.at = found.end()
        return JsonNode(found.start(), self.at, value)

    def _object(self, depth: int) -> JsonNode:
        node = JsonNode(self.at, self.at, {})
        self._begin(node)
        while not self._ends(node, "}"):
            key = self._scalar().value
            self.skip()
            if not isinstance(key, str) or key in node.members or self._text[self.at : self.at + 1] != ":":
                raise self.broken()
            self.at += 1
            self.skip()
            node.members[key] = self.value(depth + 1)
            node.value[key] = node.members[key].value
            self._next(node, "}")
        return node

    def _array(self, depth: int) -> JsonNode:
        node = JsonNode(self.at, self.at, [])
        self._begin(node)
        while not self._ends(node, "]"):
            node.value.append(self.value(depth + 1).value)
            self._next(node, "]")
        return node

    def _begin(self, node: JsonNode) -> None:
        self.at += 1
        node.after_last = self.at
        self.skip()

    def _ends(self, node: JsonNode, closing: str) -> bool:
        if self._text[self.at : self.at + 1] != closing:
            return False
        self.at += 1
        node.end = self.at
        return True

    def _next(self, node: JsonNode, closing: str) -> None:
        """Go on behind the comma after a member, or to the end of its object or array."""
        node.after_last = self.at
        self.skip()
        mark = self._text[self.at : self.at + 1]
        node.has_trailing_comma = mark == ","
        if mark == ",":
            self.at += 1
            node.after_last = self.at
            self.skip()
        elif mark != closing:
            raise self.broken()

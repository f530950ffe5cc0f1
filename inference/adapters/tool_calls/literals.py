"""Parses values inside other text, written as in JSON or in Python; each is returned as JSON text.

https://docs.python.org/3/reference/lexical_analysis.html#literals - Python's own parser is not used: it
accepts neither a keyword as a name nor the literals of JSON, and it is slow for long texts. Numbers stay as
they are written, so that none loses digits.
"""

import json
import re
from collections.abc import Callable
from typing import ClassVar, TypeVar

from inference.adapters.tool_calls.string_escapes import _SHORT, decoded_string, json_string

One = TypeVar("One")
_DEEPEST = 200
_SPACE = re.compile(r"[ \t\r\n]*")
_OPENING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
_NAMES = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}
_ATOM = re.compile(r"[\w.+-]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PYTHON_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?")
_BASED_NUMBER = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)")
_SHORT |= {"\\": "\\", "'": "'", '"': '"'}


class Unfinished(ValueError):
    """The text ends inside a string, so it may be complete once more text arrives."""


class Literals:
    """A recursive descent parser of `text`, from the index `place` on.

    Methods that read advance `place`. They raise ValueError where something else is there, and Unfinished for
    a string without an end. White space before what they read is skipped.
    """

    joins_strings: ClassVar[bool] = False  # adjacent ones, as Python does

    def __init__(self, text: str, place: int = 0) -> None:
        self.text = text
        self.place = place
        self._depth = 0

    @property
    def is_at_end(self) -> bool:
        """Whether nothing but white space is left."""
        return self._next_place >= len(self.text)

    @property
    def is_string_next(self) -> bool:
        return _OPENING.match(self.text, self._next_place) is not None

    def string(self) -> str:
        """Read a string."""
        parts = [self._string()]
        while self.joins_strings and self.is_string_next:
            parts.append(self._string())
        return parts[0] if len(parts) == 1 else json_string("".join(map(json.loads, parts)))

    def value(self) -> str:
        """Read a value of any type."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too many brackets")
        value = self._value()
        self._depth -= 1
        return value

    def is_next(self, mark: str) -> bool:
        return self.text.startswith(mark, self._next_place)

    def accept(self, mark: str) -> bool:
        """Read `mark` if it comes next, and return whether it did."""
        if not self.is_next(mark):
            return False
        self.place = self._next_place + len(mark)
        return True

    def expect(self, mark: str) -> None:
        """Read `mark`; raises ValueError if it does not come next."""
        if not self.accept(mark):
            raise ValueError(f"{mark} is missing")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Read what this pattern matches."""
        found = pattern.match(self.text, self._next_place)
        if not found or not found[0]:
            raise ValueError("something else is next")
        self.place = found.end()
        return found[0]

    @property
    def _next_place(self) -> int:
        """The index of the next character that is not white space."""
        found = _SPACE.match(self.text, self.place)
        return found.end() if found else self.place

    def items_until(self, closing: str, read: Callable[[], One]) -> list[One]:
        """Read items between commas up to the `closing` bracket; a comma may come after the last item."""
        items: list[One] = []
        while not self.accept(closing):
            items.append(read())
            if not self.accept(","):
                self.expect(closing)
                break
        return items

    def _value(self) -> str:
        if self.is_string_next:
            return self.string()
        if self.accept("["):
            return f"[{', '.join(self.items_until(']', self.value))}]"
        if self.accept("{"):
            return f"{{{', '.join(self.items_until('}', self._member))}}}"
        if self.accept("("):
            return self._tuple()
        return self._atom(self.match(_ATOM))

    def _tuple(self) -> str:
        items = self.items_until(")", self.value)
        is_tuple = len(items) != 1 or self.text[: self.place - 1].rstrip().endswith(",")
        return f"[{', '.join(items)}]" if is_tuple else items[0]

    def _member(self) -> str:
        if not self.is_string_next:
            raise ValueError("a key is not a string")
        key = self.string()
        self.expect(":")
        return f"{key}: {self.value()}"

    def _string(self) -> str:
        opening = _OPENING.match(self.text, self._next_place)
        if not opening:
            raise ValueError("no string is next")
        prefix, quote = opening.groups()
        end = self._end_of_string(opening.end(), quote)
        inside = self.text[opening.end() : end]
        self.place = end + len(quote)
        return json_string(inside) if prefix in ("r", "R") else decoded_string(inside, quote)

    def _end_of_string(self, place: int, quote: str) -> int:
        while (end := self.text.find(quote, place)) >= 0:
            escape = self.text.find("\\", place, end)
            if escape < 0:
                return end
            place = escape + 2
        raise Unfinished("a string does not end")

    def _atom(self, word: str) -> str:
        if word in _NAMES:
            return _NAMES[word]
        if _NUMBER.fullmatch(word):
            return word
        if based := _BASED_NUMBER.fullmatch(word):
            return str(int(based[1] + based[2], 0))
        if not _PYTHON_NUMBER.fullmatch(word):
            raise ValueError("a value is not a literal")
        plain = word.replace("_", "")
        return json.dumps(int(plain) if plain.lstrip("+-").isdecimal() else float(plain), allow_nan=False)

"""Values in the midst of other text, as JSON or as Python writes them; each is given as the text of its JSON.

https://docs.python.org/3/reference/lexical_analysis.html#literals - Python's own parser is not used: it
takes no keyword for a name and no word of JSON's, and its time over long texts. Numbers stay as they are
written, so that none loses digits.
"""

import json
import re
from collections.abc import Callable
from typing import ClassVar, TypeVar
from unicodedata import lookup

One = TypeVar("One")
_DEEPEST = 200
_SPACE = re.compile(r"[ \t\r\n]*")
_OPENING = re.compile(r"([rRuU]?)('''|\"\"\"|'|\")")
_WORDS = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}
_ATOM = re.compile(r"[\w.+-]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PYTHONS = re.compile(r"[+-]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?")
_BASED = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|N\{([^}]*)\}|(.))", re.DOTALL
)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "\n": ""}
_SHORT |= {"\\": "\\", "'": "'", '"': '"'}


class Unfinished(ValueError):
    """The text ends within a string, of which more text may be a part."""


class Literals:
    """Reads from `place` on; what is not there is a ValueError, a string without an end Unfinished."""

    joins_strings: ClassVar[bool] = False  # that follow each other, as Python does

    def __init__(self, text: str, place: int = 0) -> None:
        self.text = text
        self.place = place
        self._depth = 0

    @property
    def is_at_end(self) -> bool:
        """Whether nothing but white space is left."""
        self.skip()
        return self.place >= len(self.text)

    @property
    def is_string_next(self) -> bool:
        self.skip()
        return _OPENING.match(self.text, self.place) is not None

    def string(self) -> str:
        """The next value, which is a string."""
        parts = [self._string()]
        while self.joins_strings and self.is_string_next:
            parts.append(self._string())
        return parts[0] if len(parts) == 1 else json_string("".join(map(json.loads, parts)))

    def value(self) -> str:
        """The next value."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too many brackets")
        value = self._value()
        self._depth -= 1
        return value

    def is_next(self, mark: str) -> bool:
        self.skip()
        return self.text.startswith(mark, self.place)

    def takes(self, mark: str) -> bool:
        """Whether this comes next; if so it is read."""
        is_next = self.is_next(mark)
        self.place += len(mark) if is_next else 0
        return is_next

    def take(self, mark: str) -> None:
        if not self.takes(mark):
            raise ValueError(f"{mark} is missing")

    def matched(self, pattern: re.Pattern[str]) -> str:
        """The text that this pattern matches here."""
        self.skip()
        found = pattern.match(self.text, self.place)
        if not found or not found[0]:
            raise ValueError("something else is here")
        self.place = found.end()
        return found[0]

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.place)
        self.place = found.end() if found else self.place

    def listed(self, closing: str, read: Callable[[], One]) -> list[One]:
        """What stands between commas up to the bracket that closes; a comma may be the last of it."""
        items: list[One] = []
        while not self.takes(closing):
            items.append(read())
            if not self.takes(","):
                self.take(closing)
                break
        return items

    def _value(self) -> str:
        if self.is_string_next:
            return self.string()
        if self.takes("["):
            return f"[{', '.join(self.listed(']', self.value))}]"
        if self.takes("{"):
            return f"{{{', '.join(self.listed('}', self._member))}}}"
        if self.takes("("):
            return self._tuple()
        return self._atom(self.matched(_ATOM))

    def _tuple(self) -> str:
        items = self.listed(")", self.value)
        is_tuple = len(items) != 1 or self.text[: self.place - 1].rstrip().endswith(",")
        return f"[{', '.join(items)}]" if is_tuple else items[0]

    def _member(self) -> str:
        if not self.is_string_next:
            raise ValueError("a key is no text")
        key = self.string()
        self.take(":")
        return f"{key}: {self.value()}"

    def _string(self) -> str:
        opening = _OPENING.match(self.text, self.place)
        if not opening:
            raise ValueError("no string is here")
        prefix, quote = opening.groups()
        end = self._end_of_string(opening.end(), quote)
        inside = self.text[opening.end() : end]
        self.place = end + len(quote)
        return json_string(inside) if prefix in ("r", "R") else _decoded(inside, quote)

    def _end_of_string(self, place: int, quote: str) -> int:
        while (end := self.text.find(quote, place)) >= 0:
            escape = self.text.find("\\", place, end)
            if escape < 0:
                return end
            place = escape + 2
        raise Unfinished("a string does not end")

    def _atom(self, word: str) -> str:
        if word in _WORDS:
            return _WORDS[word]
        if _NUMBER.fullmatch(word):
            return word
        if based := _BASED.fullmatch(word):
            return str(int(based[1] + based[2], 0))
        if not _PYTHONS.fullmatch(word):
            raise ValueError("a value is no literal")
        plain = word.replace("_", "")
        return json.dumps(int(plain) if plain.lstrip("+-").isdecimal() else float(plain), allow_nan=False)


def json_string(text: str) -> str:
    """The JSON of a text; half a surrogate pair, which is no text, stays escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def _decoded(inside: str, quote: str) -> str:
    if quote == '"':
        try:
            return json_string(json.loads(f'"{inside}"', strict=False))
        except ValueError:
            pass  # not JSON's escapes, so Python's
    return json_string(_ESCAPE.sub(_escaped, inside))


def _escaped(found: re.Match[str]) -> str:
    two, four, eight, octal, name, short = found.groups()
    if short is not None:
        return _SHORT.get(short, f"\\{short}")
    if name is not None:
        return _named(name)
    return chr(int(octal, 8)) if octal else _character(int(two or four or eight, 16))


def _named(name: str) -> str:
    try:
        return lookup(name)
    except KeyError as error:
        raise ValueError("no character has this name") from error


def _character(code: int) -> str:
    if code > 0x10FFFF:
        raise ValueError("no character has this number")
    return chr(code)

"""The escapes in strings of JSON and Python, and the JSON of a text."""

import json
import re
from unicodedata import lookup

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|N\{([^}]*)\}|(.))", re.DOTALL
)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "\n": ""}


def json_string(text: str) -> str:
    """The JSON of a text; half a surrogate pair, which cannot be encoded, stays escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False)


def decoded_string(inside: str, quote: str) -> str:
    if quote == '"':
        try:
            return json_string(json.loads(f'"{inside}"', strict=False))
        except ValueError:
            pass  # these are Python's escapes
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

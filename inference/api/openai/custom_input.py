"""The text of a custom tool's call, out of the JSON arguments that the model writes piece by piece."""

import json
import re

from inference.api.openai.schemas.custom_tools import CUSTOM_INPUT

_OPENING = re.compile(r'\s*\{\s*"' + CUSTOM_INPUT + r'"\s*:\s*"')
# Whole escapes and plain characters; what is cut waits for the next piece, the first half of a pair as well.
_WHOLE = re.compile(
    r'(?:[^"\\]|\\["\\/bfnrt]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|\\u(?![dD][89abAB])[0-9a-fA-F]{4})*"
)


class CustomInput:
    """`add` each piece of the arguments; it returns what they add to the input.

    Arguments that are not an object with one string are themselves the input, given at `end`.
    """

    @classmethod
    def of(cls, arguments: str) -> str:
        """The input in arguments that are complete."""
        whole = cls()
        return whole.add(arguments) + whole.end()

    def __init__(self) -> None:
        self._arguments = ""
        self._place = 0  # in the arguments, up to which the string has been read; 0 before it begins
        self._is_closed = False

    def add(self, piece: str) -> str:
        self._arguments += piece
        if self._is_closed:
            return ""
        if not self._place:
            opening = _OPENING.match(self._arguments)
            if opening is None:
                return ""
            self._place = opening.end()
        return self._read()

    def end(self) -> str:
        """What the input has beyond what `add` returned."""
        if self._place:
            return ""
        try:
            arguments = json.loads(self._arguments)
        except ValueError:
            return self._arguments
        texts = list(arguments.values()) if isinstance(arguments, dict) else [arguments]
        is_one = len(texts) == 1 and isinstance(texts[0], str)
        return texts[0] if is_one else "" if arguments == {} else self._arguments

    def _read(self) -> str:
        found = _WHOLE.match(self._arguments, self._place)
        raw = found[0] if found else ""
        self._place += len(raw)
        self._is_closed = self._arguments[self._place : self._place + 1] == '"'
        return str(json.loads(f'"{raw}"', strict=False))

"""A call that begins within thoughts: it counts where the answer ends with it, else it is a thought.

Models call before they have closed their thoughts, and then end
(https://github.com/ggml-org/llama.cpp/issues/21118, https://github.com/anomalyco/opencode/issues/6883). They
also write down calls that they think about; those are followed by more thoughts, or by an answer.
"""

import json
from collections.abc import Sequence
from typing import Protocol

from inference.adapters.tool_calls.call_reader import Piece, held_back


class Reads(Protocol):
    """A reader of text and calls, without reasoning."""

    def feed(self, text: str) -> list[Piece]: ...

    def flush(self) -> list[Piece]: ...


class CallInReasoning:
    """`text` is what was thought since the call began; in its first `plain` characters no other begins."""

    def __init__(self, before: str, closing: str, reader: Reads) -> None:
        self.text = before
        self.plain = len(before)
        self._closing = closing
        self._reader = reader
        self._pieces = reader.feed(before)
        self._read = len(before)  # characters that the reader has

    def feed(self, text: str) -> bool:
        """Whether it is certain now that this is no call: something else follows it."""
        self.text += text
        end = self.text.find(self._closing, self._read)
        kept = held_back(self.text, self._closing)
        self._read_to(end if end >= 0 else len(self.text) - kept)
        behind = self.text[end + len(self._closing) :] if end >= 0 else ""
        return bool(behind.strip()) or _has_text(self._pieces)

    def calls(self) -> list[Piece]:
        """The calls, once the answer has ended by itself; none where one is not complete and valid."""
        end = self.text.find(self._closing, self._read)
        self._read_to(end if end >= 0 else len(self.text))
        pieces = [*self._pieces, *self._reader.flush()]
        numbers = {piece.call for piece in pieces if piece.channel == "tool"}
        is_valid = not _has_text(pieces) and all(_is_valid(pieces, number) for number in numbers)
        return [piece for piece in pieces if piece.channel == "tool"] if is_valid else []

    def _read_to(self, end: int) -> None:
        text, self._read = self.text[self._read : end], max(self._read, end)
        self._pieces += self._reader.feed(text)


def _has_text(pieces: Sequence[Piece]) -> bool:
    return any(piece.channel == "text" and piece.text.strip() for piece in pieces)


def _is_valid(pieces: Sequence[Piece], call: int) -> bool:
    arguments = "".join(piece.text for piece in pieces if piece.channel == "tool" and piece.call == call)
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False

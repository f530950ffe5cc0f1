"""A call that begins inside the reasoning: it counts if the answer ends with it, otherwise it is reasoning.

Models call before they have closed their reasoning, and then end
(https://github.com/ggml-org/llama.cpp/issues/21118, https://github.com/anomalyco/opencode/issues/6883). They
also write down calls that they only consider; more reasoning or an answer follows those.
"""

import json
from collections.abc import Sequence
from typing import Protocol

from inference.adapters.partial_marker import partial_length
from inference.adapters.piece import Piece


class AnswerReader(Protocol):
    """A reader of text and calls, without reasoning."""

    def feed(self, text: str) -> list[Piece]: ...

    def flush(self) -> list[Piece]: ...


class CallInReasoning:
    """Holds back the reasoning since a call began, until it is decided whether the call counts.

    1. Text up to the `closing` marker of the reasoning goes to a `reader` of its own.
    2. If this reader finds text, or anything follows the closing marker, it was no call: `text` is reasoning.
    3. If the answer ends first, `calls` returns the calls, provided that all of them are complete and valid.

    `text` is everything since the call began; no other call begins in its first `searched` characters.
    """

    def __init__(self, before: str, closing: str, reader: AnswerReader) -> None:
        self.text = before
        self.searched = len(before)
        self._closing = closing
        self._reader = reader
        self._pieces = reader.feed(before)
        self._read = len(before)  # characters that the reader has

    def feed(self, text: str) -> bool:
        """Add text; returns whether it is certain now that this is no call, because something follows it."""
        self.text += text
        end = self.text.find(self._closing, self._read)
        kept = partial_length(self.text, self._closing)
        self._read_to(end if end >= 0 else len(self.text) - kept)
        behind = self.text[end + len(self._closing) :] if end >= 0 else ""
        return bool(behind.strip()) or _has_text(self._pieces)

    def calls(self) -> list[Piece]:
        """The calls, once the answer has ended by itself; none if one of them is incomplete or invalid."""
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

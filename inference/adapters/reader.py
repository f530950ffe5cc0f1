"""Splits an answer's text into its channels: the same code for a streamed and a whole answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.adapters.calls import CallReader, Channel, Piece

__all__ = ["Channel", "Piece", "Reader", "Thinking", "held_back"]


@dataclass(frozen=True)
class Thinking:
    """How an answer's reasoning is marked, and whether its prompt has opened or closed it already."""

    opening: str
    closing: str
    is_open: bool = False
    is_over: bool = False


def held_back(text: str, marker: str) -> int:
    """How many characters at the end of `text` could be the beginning of `marker`."""
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if marker.startswith(text[-n:])), 0)


class Reader:
    """Feed it text in any pieces; each channel's joined pieces do not depend on how it was cut.

    Text that could be the beginning of a marker is held back until it is known. An answer that ends
    inside its reasoning is all reasoning: nothing is lost, and nothing thought is shown as the answer.
    The line breaks that models put around the marks of their reasoning are dropped.
    With `calls`, tool calls in the answer are read, and white space around them is dropped; what only
    looked like a call is text. `frame` are two marks between which the answer stands when reasoning was
    before it; they are no text.
    """

    def __init__(
        self,
        *,
        reasoning: tuple[str, str] | None = None,
        starts_inside: bool = False,
        calls: CallReader | None = None,
        frame: Sequence[str] = (),
    ) -> None:
        self._reasoning = reasoning
        self._calls = calls
        self._is_thinking = starts_inside
        self._drops_breaks = starts_inside
        self._frame = tuple(frame)
        self._framing: tuple[str, ...] = ()  # what of the frame is still to come
        self._held = ""
        self._is_at_start = True  # of the answer, or of what follows a call

    @property
    def is_done(self) -> bool:
        """Whether nothing may follow: the answer has the one call it was allowed."""
        return self._calls is not None and self._calls.is_done

    def feed(self, text: str) -> list[Piece]:
        """What is certain by now of the text so far."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and not self.is_done and (told := self._step()) is not None:
            pieces += told
        return pieces

    def flush(self) -> list[Piece]:
        """The rest: what looked like the beginning of a marker was text after all."""
        rest, self._held = self._held, ""
        if self.is_done:
            return []
        if self._calls and self._calls.is_open:
            return self._in_channel(self._calls.flush())
        return self._piece(rest)

    def _step(self) -> list[Piece] | None:
        """Read up to the next marker; None when all that is left has to wait."""
        if self._calls and self._calls.is_open:
            return self._read_call(self._calls)
        if self._drops_breaks:
            self._held = self._held.lstrip("\n")
            self._drops_breaks = not self._held
        return self._read_reasoning() if self._is_thinking else self._read_text()

    def _read_reasoning(self) -> list[Piece] | None:
        closing = self._reasoning[1] if self._reasoning else ""
        calls = self._begins() if self._calls and self._calls.manner.is_in_thoughts else []
        found = self._first_of([closing, *calls])
        if not found:
            kept = max(held_back(self._held, mark) for mark in (closing, *calls))
            return self._give(len(self._held[: len(self._held) - kept].rstrip("\n")))
        at, mark = found
        told = self._piece(self._cut(at).rstrip("\n"))
        self._cut(len(mark))
        if self._calls and mark != closing:
            self._calls.open(mark)
        else:
            self._is_thinking, self._framing, self._drops_breaks = False, self._frame, True
        return told

    def _read_text(self) -> list[Piece] | None:
        if self._calls and self._calls.has_ended and self._is_at_start:
            self._held = self._held.lstrip()
        if self._calls and self._calls.manner.is_bare and self._is_at_start:
            space = len(self._held) - len(self._held.lstrip())
            if self._held[space:].startswith(self._calls.manner.bare_begin):
                self._calls.open(self._cut(space), must_be_usual=True)
                return []
        markers = self._markers()
        if found := self._first_of(markers):
            return self._open(*found)
        kept = max((held_back(self._held, one) for one in markers), default=0)
        end = len(self._held) - kept
        if self._reasoning and self._only_breaks(end):
            return None  # GLM breaks the line before it thinks
        return self._give(len(self._held[:end].rstrip()) if self._calls else end)

    def _open(self, at: int, marker: str) -> list[Piece]:
        if marker in self._framing:
            told = self._piece(self._cut(at))
            if self._framing:
                self._cut(len(marker))
            self._framing = self._framing[1:]
            return told
        if self._reasoning and marker == self._reasoning[0]:
            if self._only_breaks(at):
                self._held, at = self._held[at:], 0
            told = self._piece(self._cut(at))
            self._is_thinking = self._drops_breaks = True
        else:
            told = self._piece(self._cut(len(self._held[:at].rstrip())))
        before = self._cut(self._held.index(marker) + len(marker))
        if self._calls and not self._is_thinking:
            self._calls.open(before)
        return told

    def _only_breaks(self, end: int) -> bool:
        """Whether the answer has nothing but line breaks so far, up to this place."""
        return self._is_at_start and not self._held[:end].strip("\n")

    def _read_call(self, calls: CallReader) -> list[Piece]:
        pieces = calls.feed(self._cut(len(self._held)))
        if not calls.is_open:
            self._held, self._is_at_start = calls.rest(), calls.has_ended
            self._drops_breaks |= self._is_thinking
        return self._in_channel(pieces)

    def _in_channel(self, pieces: list[Piece]) -> list[Piece]:
        """What was no call is text, or a thought like those around it."""
        if not self._is_thinking:
            return pieces
        return [Piece("reasoning", one.text) if one.channel == "text" else one for one in pieces]

    def _markers(self) -> list[str]:
        reasoning = [self._reasoning[0]] if self._reasoning else []
        return [*reasoning, *self._begins(), *self._framing[:1]]

    def _begins(self) -> list[str]:
        return [self._calls.manner.begin, *self._calls.manner.other_begins] if self._calls else []

    def _first_of(self, marks: Sequence[str]) -> tuple[int, str] | None:
        """Which of these marks comes first, and where."""
        return min(((at, mark) for mark in marks if (at := self._held.find(mark)) >= 0), default=None)

    def _give(self, end: int) -> list[Piece] | None:
        return self._piece(self._cut(end)) or None

    def _cut(self, end: int) -> str:
        """Take this much out of the held text."""
        text, self._held = self._held[:end], self._held[end:]
        return text

    def _piece(self, text: str) -> list[Piece]:
        if not text:
            return []
        self._is_at_start &= self._is_thinking
        if self._framing == self._frame and not self._is_thinking and text.strip():
            self._framing = ()  # it has begun without
        return [Piece("reasoning" if self._is_thinking else "text", text)]

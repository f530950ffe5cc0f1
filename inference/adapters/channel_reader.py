"""Splits an answer's text into its channels: the same code for a streamed and a whole answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.adapters.tool_calls.call_reader import CallReader, Channel, Piece, held_back
from inference.adapters.tool_calls.calls_in_reasoning import CallInReasoning

_MOST_ENDINGS = 32  # calls that came to nothing, each of which had the rest read again
__all__ = ["Channel", "Piece", "ChannelReader", "Thinking", "held_back"]


@dataclass(frozen=True)
class Thinking:
    """How an answer's reasoning is marked, and whether its prompt has opened or closed it already."""

    opening: str
    closing: str
    is_open: bool = False
    is_over: bool = False


class ChannelReader:
    """Feed it text in any pieces; each channel's joined pieces do not depend on how it was cut.

    Text that could be the beginning of a marker is held back until it is known. An answer that ends
    inside its reasoning is all reasoning: nothing is lost, and nothing thought is shown as the answer.
    The line breaks that models put around the marks of their reasoning are dropped.
    With `calls`, tool calls in the answer are read, and white space around them is dropped; what only
    looked like a call is text. `frame` are two marks between which the answer stands when reasoning was
    before it; they are no text. With `calls_in_thoughts` a call that ends the answer while it thinks has
    ended the thoughts.
    """

    def __init__(
        self,
        *,
        reasoning: tuple[str, str] | None = None,
        starts_inside: bool = False,
        calls: CallReader | None = None,
        frame: Sequence[str] = (),
        calls_in_thoughts: bool = False,
    ) -> None:
        self._reasoning = reasoning
        self._calls = calls
        self._is_thinking = starts_inside
        self._drops_breaks = starts_inside
        self._frame = tuple(frame)
        self._framing: tuple[str, ...] = ()  # what of the frame is still to come
        self._held = ""
        self._is_at_start = True  # of the answer, or of what follows a call
        self._calls_in_thoughts = calls_in_thoughts
        self._aside: CallInReasoning | None = None
        self._plain = 0  # characters of the held text in which no call begins
        self._has_dropped = False

    @property
    def is_done(self) -> bool:
        """Whether nothing may follow: the answer has the one call it was allowed."""
        return self._calls is not None and self._calls.is_done

    @property
    def has_dropped(self) -> bool:
        """Whether something was held at the end that is in no piece: a marker that was cut."""
        return self._has_dropped or (self._calls is not None and self._calls.has_dropped)

    def feed(self, text: str) -> list[Piece]:
        """What is certain by now of the text so far."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and not self.is_done and (told := self._step()) is not None:
            pieces += told
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """The rest: what looked like the beginning of a marker was text after all.

        With `is_cut` the answer was not at its end; what can only be the beginning of a marker is dropped.
        """
        if self.is_done:
            return []
        pieces: list[Piece] = []
        for _ in range(_MOST_ENDINGS):
            if not self._is_waiting:
                break
            pieces += [*self._end(is_cut), *self.feed("")]
        return [*pieces, *self._abandon(), *self._last(is_cut)]

    @property
    def _is_waiting(self) -> bool:
        """Whether a call has begun and may not be one."""
        return self._aside is not None or (self._calls is not None and self._calls.is_open)

    def _end(self, is_cut: bool) -> list[Piece]:
        """What has begun as a call is one now, or not: then what follows its mark is read again."""
        if self._aside:
            return self._end_aside(self._aside, is_cut)
        return self._behind(self._calls, self._calls.flush(is_cut=is_cut)) if self._calls else []

    def _abandon(self) -> list[Piece]:
        """What has begun as a call too often is read no more."""
        if self._aside:
            self._held, self._aside = self._aside.text, None
        elif self._calls and self._calls.is_open:
            return self._behind(self._calls, self._calls.abandon())
        return []

    def _last(self, is_cut: bool) -> list[Piece]:
        """What is still held, less a marker that was cut."""
        kept = self._cut_mark() if is_cut else 0
        self._has_dropped |= kept > 0
        text = self._cut(len(self._held) - kept)
        self._held = ""
        return [] if self.is_done else self._piece(text.rstrip() if kept and self._calls else text)

    def _cut_mark(self) -> int:
        """How many characters at the end of the held text can be nothing but the beginning of a marker.

        Where a call is required, or a complete one lies right before, nothing else can come; elsewhere more
        than half of the marker must be there: less of it is text often enough.
        """
        if self._calls and not self._is_thinking:
            is_behind = self._calls.has_ended and self._is_at_start
            if self._calls.is_forced or is_behind:
                return len(self._held)
        marks = [self._reasoning[1]] if self._is_thinking and self._reasoning else self._markers()
        kept = {mark: held_back(self._held, mark) for mark in marks if not mark[0].isalnum()}
        return max((count for mark, count in kept.items() if 2 * count > len(mark)), default=0)

    def _end_aside(self, aside: CallInReasoning, is_cut: bool) -> list[Piece]:
        told = [] if is_cut else aside.calls()  # what was cut may have gone on
        if not (told and self._calls):
            return self._go_on_thinking(aside)
        self._aside, self._is_thinking = None, False
        told = told if self._calls.several else [piece for piece in told if piece.call == told[0].call]
        self._calls.count(sum(1 for piece in told if piece.name))
        return told

    def _go_on_thinking(self, aside: CallInReasoning) -> list[Piece]:
        self._aside, self._held, self._plain = None, aside.text, aside.plain
        return []

    def _step(self) -> list[Piece] | None:
        """Read up to the next marker; None when all that is left has to wait."""
        if self._calls and self._calls.is_open:
            return self._read_call(self._calls)
        if self._drops_breaks:
            self._held = self._held.lstrip("\n")
            self._drops_breaks = not self._held
        return self._read_reasoning() if self._is_thinking else self._read_text()

    def _read_reasoning(self) -> list[Piece] | None:
        if self._aside:
            text = self._cut(len(self._held))
            return self._go_on_thinking(self._aside) if self._aside.feed(text) else None
        closing = self._reasoning[1] if self._reasoning else ""
        is_call = bool(self._calls and self._calls.manner.is_in_thoughts)
        calls = self._begins() if is_call or self._calls_in_thoughts else []
        found = self._first_of([closing]), self._first_of(calls, self._plain)
        if not any(found):
            kept = max(held_back(self._held, mark) for mark in (closing, *calls))
            return self._give(len(self._held[: len(self._held) - kept].rstrip("\n")))
        at, mark = min(one for one in found if one)
        told = self._piece(self._cut(len(self._held[:at].rstrip("\n"))))
        before = self._cut(self._held.index(mark) + len(mark))
        if mark == closing:
            self._is_thinking, self._framing, self._drops_breaks = False, self._frame, True
        elif self._calls and is_call:
            self._calls.open(before)
        elif self._calls:
            self._aside = CallInReasoning(before, closing, ChannelReader(calls=self._calls.another()))
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
        return self._behind(calls, calls.feed(self._cut(len(self._held))))

    def _behind(self, calls: CallReader, pieces: list[Piece]) -> list[Piece]:
        """Go on behind the calls, if that is where their reader is."""
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

    def _first_of(self, marks: Sequence[str], start: int = 0) -> tuple[int, str] | None:
        """Which of these marks comes first, and where."""
        return min(((at, mark) for mark in marks if (at := self._held.find(mark, start)) >= 0), default=None)

    def _give(self, end: int) -> list[Piece] | None:
        return self._piece(self._cut(end)) or None

    def _cut(self, end: int) -> str:
        """Take this much out of the held text."""
        text, self._held = self._held[:end], self._held[end:]
        self._plain = max(0, self._plain - end)
        return text

    def _piece(self, text: str) -> list[Piece]:
        if not text:
            return []
        self._is_at_start &= self._is_thinking
        if self._framing == self._frame and not self._is_thinking and text.strip():
            self._framing = ()  # it has begun without
        return [Piece("reasoning" if self._is_thinking else "text", text)]

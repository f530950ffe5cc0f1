"""Separates the text of an answer into channels; streamed and complete answers use the same code."""

from collections.abc import Sequence

from inference.adapters.partial_marker import partial_length
from inference.adapters.piece import Piece
from inference.adapters.tool_calls.call_reader import CallReader
from inference.adapters.tool_calls.calls_in_reasoning import CallInReasoning

_MOST_REJECTIONS = 32  # times that text is read again because what began in it was no call


class ChannelReader:
    """Splits text into reasoning, calls and visible text. Feed it the text in any parts, then flush it.

    The joined pieces of each channel do not depend on how the text was split: what could be the beginning of
    a marker is held back until it is decided. Each step reads up to the next marker in one of three states:

    1. Visible text. The opening marker of the `reasoning` leads to 2, and the marker of a call to 3. If the
       format `is_bare`, the beginning of a call also counts at the start of the answer.
    2. Reasoning, where an answer also begins if it `starts_inside`. The closing marker leads back to 1. An
       answer that ends here is all reasoning, so nothing is lost and no reasoning is shown as the answer.
       With `reads_calls_in_reasoning` a call that ends the answer here ends the reasoning, too
       (calls_in_reasoning.py).
    3. A call, which the reader `calls` parses. What turns out not to be a call is text of the state before,
       and what follows its marker is read again.

    Line breaks next to the markers of the reasoning and white space around calls are dropped. `answer_marks`
    are two markers around the answer that follows the reasoning; they are no text.
    """

    def __init__(
        self,
        *,
        reasoning: tuple[str, str] | None = None,
        starts_inside: bool = False,
        calls: CallReader | None = None,
        answer_marks: Sequence[str] = (),
        reads_calls_in_reasoning: bool = False,
    ) -> None:
        self._reasoning = reasoning
        self._calls = calls
        self._is_reasoning = starts_inside
        self._drops_breaks = starts_inside
        self._answer_marks = tuple(answer_marks)
        self._pending_answer_marks: tuple[str, ...] = ()
        self._held = ""
        self._is_at_start = True  # of the answer, or of what follows a call
        self._reads_calls_in_reasoning = reads_calls_in_reasoning
        self._call_in_reasoning: CallInReasoning | None = None
        self._searched = 0  # characters of the held text in which no call begins
        self._has_dropped = False

    @property
    def is_done(self) -> bool:
        """Whether nothing may follow: the answer has the one call that was allowed."""
        return self._calls is not None and self._calls.is_done

    @property
    def has_dropped(self) -> bool:
        """Whether something that was held at the end is in no piece: a marker that was cut."""
        return self._has_dropped or (self._calls is not None and self._calls.has_dropped)

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain after this text."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and not self.is_done and (found := self._step()) is not None:
            pieces += found
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """The last pieces, once no text follows: what looked like the beginning of a marker was text.

        With `is_cut` the answer was truncated; what can only be the beginning of a marker is dropped.
        """
        if self.is_done:
            return []
        pieces: list[Piece] = []
        for _ in range(_MOST_REJECTIONS):
            if not self._is_waiting:
                break
            pieces += [*self._end(is_cut), *self.feed("")]
        return [*pieces, *self._abandon(), *self._last(is_cut)]

    @property
    def _is_waiting(self) -> bool:
        """Whether a call has begun that may turn out not to be one."""
        return self._call_in_reasoning is not None or (self._calls is not None and self._calls.is_open)

    def _end(self, is_cut: bool) -> list[Piece]:
        """Decide whether what has begun as a call is one; if not, its text is read again."""
        if self._call_in_reasoning:
            return self._end_call_in_reasoning(self._call_in_reasoning, is_cut)
        return self._continue_after(self._calls, self._calls.flush(is_cut=is_cut)) if self._calls else []

    def _abandon(self) -> list[Piece]:
        """Stop looking for calls: the rest has been read again too often."""
        if self._call_in_reasoning:
            self._held, self._call_in_reasoning = self._call_in_reasoning.text, None
        elif self._calls and self._calls.is_open:
            return self._continue_after(self._calls, self._calls.abandon())
        return []

    def _last(self, is_cut: bool) -> list[Piece]:
        """What is still held, without a marker that was cut."""
        kept = self._partial_marker() if is_cut else 0
        self._has_dropped |= kept > 0
        text = self._take(len(self._held) - kept)
        self._held = ""
        return [] if self.is_done else self._piece(text.rstrip() if kept and self._calls else text)

    def _partial_marker(self) -> int:
        """How many characters at the end of the held text can be nothing but the beginning of a marker.

        If a call is required, or a complete one is right before, nothing else can come. Otherwise more than
        half of the marker must be there, since a shorter part is often text.
        """
        if self._calls and not self._is_reasoning:
            is_after_call = self._calls.has_ended and self._is_at_start
            if self._calls.is_forced or is_after_call:
                return len(self._held)
        marks = [self._reasoning[1]] if self._is_reasoning and self._reasoning else self._markers()
        kept = {mark: partial_length(self._held, mark) for mark in marks if not mark[0].isalnum()}
        return max((count for mark, count in kept.items() if 2 * count > len(mark)), default=0)

    def _end_call_in_reasoning(self, call: CallInReasoning, is_cut: bool) -> list[Piece]:
        pieces = [] if is_cut else call.calls()  # a truncated answer might have continued
        if not (pieces and self._calls):
            return self._resume_reasoning(call)
        self._call_in_reasoning, self._is_reasoning = None, False
        if not self._calls.several:
            pieces = [piece for piece in pieces if piece.call == pieces[0].call]
        self._calls.add_calls(sum(1 for piece in pieces if piece.name))
        return pieces

    def _resume_reasoning(self, call: CallInReasoning) -> list[Piece]:
        self._call_in_reasoning, self._held, self._searched = None, call.text, call.searched
        return []

    def _step(self) -> list[Piece] | None:
        """Read up to the next marker; None if all that is left has to wait for more text."""
        if self._calls and self._calls.is_open:
            return self._read_call(self._calls)
        if self._drops_breaks:
            self._held = self._held.lstrip("\n")
            self._drops_breaks = not self._held
        return self._read_reasoning() if self._is_reasoning else self._read_text()

    def _read_reasoning(self) -> list[Piece] | None:
        if self._call_in_reasoning:
            is_no_call = self._call_in_reasoning.feed(self._take(len(self._held)))
            return self._resume_reasoning(self._call_in_reasoning) if is_no_call else None
        closing = self._reasoning[1] if self._reasoning else ""
        is_in_reasoning = bool(self._calls and self._calls.call_format.is_in_reasoning)
        calls = self._call_begins() if is_in_reasoning or self._reads_calls_in_reasoning else []
        found = self._first_of([closing]), self._first_of(calls, self._searched)
        if not any(found):
            kept = max(partial_length(self._held, mark) for mark in (closing, *calls))
            return self._emit(len(self._held[: len(self._held) - kept].rstrip("\n")))
        at, mark = min(one for one in found if one)
        pieces = self._piece(self._take(len(self._held[:at].rstrip("\n"))))
        before = self._take(self._held.index(mark) + len(mark))
        if mark == closing:
            self._is_reasoning, self._drops_breaks = False, True
            self._pending_answer_marks = self._answer_marks
        elif self._calls and is_in_reasoning:
            self._calls.open(before)
        elif self._calls:
            reader = ChannelReader(calls=self._calls.fresh())
            self._call_in_reasoning = CallInReasoning(before, closing, reader)
        return pieces

    def _read_text(self) -> list[Piece] | None:
        if self._calls and self._calls.has_ended and self._is_at_start:
            self._held = self._held.lstrip()
        if self._calls and self._calls.call_format.is_bare and self._is_at_start:
            space = len(self._held) - len(self._held.lstrip())
            if self._held[space:].startswith(self._calls.call_format.bare_begin):
                self._calls.open(self._take(space), requires_usual_order=True)
                return []
        markers = self._markers()
        if found := self._first_of(markers):
            return self._pass_marker(*found)
        kept = max((partial_length(self._held, one) for one in markers), default=0)
        end = len(self._held) - kept
        if self._reasoning and self._has_only_breaks(end):
            return None  # GLM writes a line break before its reasoning
        return self._emit(len(self._held[:end].rstrip()) if self._calls else end)

    def _pass_marker(self, at: int, marker: str) -> list[Piece]:
        if marker in self._pending_answer_marks:
            pieces = self._piece(self._take(at))
            if self._pending_answer_marks:
                self._take(len(marker))
            self._pending_answer_marks = self._pending_answer_marks[1:]
            return pieces
        if self._reasoning and marker == self._reasoning[0]:
            if self._has_only_breaks(at):
                self._held, at = self._held[at:], 0
            pieces = self._piece(self._take(at))
            self._is_reasoning = self._drops_breaks = True
        else:
            pieces = self._piece(self._take(len(self._held[:at].rstrip())))
        before = self._take(self._held.index(marker) + len(marker))
        if self._calls and not self._is_reasoning:
            self._calls.open(before)
        return pieces

    def _has_only_breaks(self, end: int) -> bool:
        """Whether the answer has nothing but line breaks up to this index of the held text."""
        return self._is_at_start and not self._held[:end].strip("\n")

    def _read_call(self, calls: CallReader) -> list[Piece]:
        return self._continue_after(calls, calls.feed(self._take(len(self._held))))

    def _continue_after(self, calls: CallReader, pieces: list[Piece]) -> list[Piece]:
        """Continue with the text behind the calls, if their reader has ended."""
        if not calls.is_open:
            self._held, self._is_at_start = calls.take_rest(), calls.has_ended
            self._drops_breaks |= self._is_reasoning
        return self._in_channel(pieces)

    def _in_channel(self, pieces: list[Piece]) -> list[Piece]:
        """What was no call is text, or reasoning if it is inside the reasoning."""
        if not self._is_reasoning:
            return pieces
        return [Piece("reasoning", one.text) if one.channel == "text" else one for one in pieces]

    def _markers(self) -> list[str]:
        reasoning = [self._reasoning[0]] if self._reasoning else []
        return [*reasoning, *self._call_begins(), *self._pending_answer_marks[:1]]

    def _call_begins(self) -> list[str]:
        if not self._calls:
            return []
        return [self._calls.call_format.begin, *self._calls.call_format.other_begins]

    def _first_of(self, marks: Sequence[str], start: int = 0) -> tuple[int, str] | None:
        """Index and text of the first of these markers in the held text."""
        return min(((at, mark) for mark in marks if (at := self._held.find(mark, start)) >= 0), default=None)

    def _emit(self, end: int) -> list[Piece] | None:
        return self._piece(self._take(end)) or None

    def _take(self, end: int) -> str:
        """Remove and return this many characters of the held text."""
        text, self._held = self._held[:end], self._held[end:]
        self._searched = max(0, self._searched - end)
        return text

    def _piece(self, text: str) -> list[Piece]:
        if not text:
            return []
        self._is_at_start &= self._is_reasoning
        if self._pending_answer_marks == self._answer_marks and not self._is_reasoning and text.strip():
            self._pending_answer_marks = ()  # the answer has begun without them
        return [Piece("reasoning" if self._is_reasoning else "text", text)]

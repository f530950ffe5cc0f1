"""Tokens to text: incremental detokenising, then stop strings on the text, then the adapter's reader."""

from collections.abc import Sequence
from typing import Protocol

from inference.adapters import Adapter
from inference.adapters.reader import Piece, Reader, held_back
from inference.types import ChatRequest, Event, ReasoningDelta, Request, TextDelta
from inference.worker.tokenizer import HubTokenizer

_UNFINISHED = "\ufffd"
_LONGEST_CHARACTER = 4  # tokens; a character of UTF-8 has at most four bytes
_CONTEXT = 5


class Decodes(Protocol):
    def decode(self, ids: Sequence[int]) -> str: ...


class Detokenizer:
    """Text of one token after another: what joins up equals decoding them all at once.

    A token's text depends on its neighbours, so a short window is decoded with and without the new token
    and the difference is the new text. Bytes of an unfinished character are held back. `context` are the
    tokens before, which make a continuation's first space right.
    """

    def __init__(self, tokenizer: Decodes, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._window = list(context[-_CONTEXT:])
        self._told = len(self._window)  # tokens of the window whose text has been given out

    def feed(self, token: int) -> str:
        """The new text that `token` completes, empty while a character is unfinished."""
        self._window.append(token)
        text = self._new_text()
        is_unfinished = text.endswith(_UNFINISHED) and len(self._window) - self._told < _LONGEST_CHARACTER
        if is_unfinished:
            return ""
        del self._window[: self._told]
        self._told = len(self._window)
        return text

    def flush(self) -> str:
        """What was held back, less the bytes of a character that never came."""
        if self._told == len(self._window):
            return ""
        text = self._new_text().rstrip(_UNFINISHED)
        self._told = len(self._window)
        return text

    def _new_text(self) -> str:
        before = self._tokenizer.decode(self._window[: self._told])
        return self._tokenizer.decode(self._window)[len(before) :]


class StopStrings:
    """Cuts a text before the stop string that is complete first, however the text is cut into pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.has_matched = False

    def feed(self, text: str) -> str:
        """What may be shown by now; whatever could still become a stop string is held back."""
        if not self._stops:
            return text
        seen = self._held + text
        matches = [(at + len(stop), at) for stop in self._stops if (at := seen.find(stop)) >= 0]
        if matches:
            self.has_matched = True
            return seen[: min(matches)[1]]
        keep = max(held_back(seen, stop) for stop in self._stops)
        self._held = seen[len(seen) - keep :]
        return seen[: len(seen) - keep]

    def flush(self) -> str:
        rest, self._held = self._held, ""
        return rest


class Answer:
    """The text side of one request: feed it tokens, take the events, ask whether a stop string was met.

    Every generated token counts, also the stop token and those whose text a stop string cut off: they
    were computed. Special tokens have no text.
    """

    def __init__(
        self,
        tokenizer: HubTokenizer,
        *,
        stops: Sequence[str] = (),
        reader: Reader | None = None,
        context: Sequence[int] = (),
        echo: str = "",
    ) -> None:
        self._detokenizer = Detokenizer(tokenizer, context)
        self._hidden = tokenizer.special_ids
        self._stops = StopStrings(stops)
        self._reader = reader or Reader()
        self._echo = echo
        self._untold = 0
        self.tokens = 0

    @classmethod
    def of(
        cls, request: Request, prompt: Sequence[int], tokenizer: HubTokenizer, adapter: Adapter
    ) -> "Answer":
        """The answer to be made of `request`, whose prompt has these token ids."""
        if isinstance(request, ChatRequest):
            return cls(tokenizer, stops=request.stop, reader=adapter.reader(prompt))
        visible = [token for token in prompt if token not in tokenizer.special_ids]
        return cls(
            tokenizer, stops=request.stop, context=visible, echo=request.prompt if request.echo else ""
        )

    @property
    def is_stopped(self) -> bool:
        """Whether a stop string has ended the answer."""
        return self._stops.has_matched

    def begin(self) -> list[Event]:
        """What comes before the first token: the prompt's own text, if it is to be echoed."""
        return [TextDelta(text=self._echo, tokens=0)] if self._echo else []

    def feed(self, token: int) -> list[Event]:
        self.tokens += 1
        self._untold += 1
        if token in self._hidden:
            return []
        pieces = self._reader.feed(self._stops.feed(self._detokenizer.feed(token)))
        if self.is_stopped:
            pieces += self._reader.flush()
        return self._events(pieces)

    def flush(self) -> list[Event]:
        """The rest, once no token follows; it may still hold a stop string."""
        text = self._stops.feed(self._detokenizer.flush())
        if not self.is_stopped:
            text += self._stops.flush()
        return self._events(self._reader.feed(text) + self._reader.flush())

    def _events(self, pieces: Sequence[Piece]) -> list[Event]:
        events: list[Event] = []
        for piece in pieces:
            kind = ReasoningDelta if piece.channel == "reasoning" else TextDelta
            events.append(kind(text=piece.text, tokens=self._untold))
            self._untold = 0
        return events

"""Tokens to text: incremental detokenising, the adapter's reader, stop strings on what is visible."""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Protocol

from inference.adapters import Adapter
from inference.adapters.reader import Piece, Reader, held_back
from inference.requests import ChatRequest, GenerationRequest
from inference.types import (
    Delta,
    Event,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)

_UNFINISHED = "\ufffd"
_LONGEST_CHARACTER = 4  # tokens; a character of UTF-8 has at most four bytes
_LONGEST_WINDOW = 12  # tokens
_ECHO_PIECE = 1024  # tokens whose log probabilities are one event


class Decodes(Protocol):
    """What turning tokens into text needs of a tokenizer; ids it does not know have no text."""

    def decode(self, ids: Sequence[int]) -> str: ...


class Detokenizer:
    """Text of one token after another: what joins up equals decoding them all at once.

    A token's text depends on its neighbours, so it is decoded together with the few before it. Bytes of
    an unfinished character are held back, never more than four tokens. `context` are the tokens before
    the first, which give a continuation its leading space.
    """

    def __init__(self, tokenizer: Decodes, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []  # the tokens of the last whole text
        self._text_before = ""
        self._pending: list[int] = []  # the tokens since
        self._given = ""  # what has been given out of their text
        self._begin_after(context)

    def feed(self, token: int) -> str:
        """The new text that `token` completes, empty while a character is unfinished."""
        self._pending.append(token)
        text = self._text()
        if not text.endswith(_UNFINISHED):
            return self._complete(text)
        is_unfinished = len(self._pending) < _LONGEST_CHARACTER
        known = text.rstrip(_UNFINISHED) if is_unfinished else text[:-1]
        new = known[len(self._given) :]
        self._given = known if new else self._given
        if len(self._pending) > _LONGEST_WINDOW:
            self._shorten()
        return new

    def flush(self) -> str:
        """What was held back, less the bytes of a character that never came."""
        return self._text().rstrip(_UNFINISHED)[len(self._given) :] if self._pending else ""

    def _begin_after(self, context: Sequence[int]) -> None:
        """Take the shortest end of `context` that has text and begins with a whole character."""
        for length in range(1, min(len(context), _LONGEST_WINDOW) + 1):
            tokens = list(context[-length:])
            text = self._tokenizer.decode(tokens)
            if text and _UNFINISHED not in text:
                self._before, self._text_before = tokens, text
                return

    def _text(self) -> str:
        """The text of the pending tokens."""
        whole = self._tokenizer.decode(self._before + self._pending)
        if whole.startswith(self._text_before):
            return whole[len(self._text_before) :]
        # A decoder with byte fallback takes back a whole run of bytes for one that does not fit.
        return self._tokenizer.decode(self._pending)

    def _complete(self, text: str) -> str:
        new = text[len(commonprefix([text, self._given])) :]
        # A token without text still matters to the next one: a first "▁" gives it its leading space.
        self._before = self._pending if text else (self._before + self._pending)[-_LONGEST_WINDOW:]
        self._text_before = self._tokenizer.decode(self._before)
        self._pending, self._given = [], ""
        return new

    def _shorten(self) -> None:
        """Forget the older half of a long run of nonsense: work and memory per token stay the same."""
        self._before, self._text_before = [], ""
        self._pending = self._pending[-_LONGEST_WINDOW // 2 :]
        self._given = self._text()[:-1]


class StopStrings:
    """Cuts a text before the stop string that is complete first, however the text is cut into pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.has_matched = False

    def feed(self, text: str) -> str:
        """What may be shown by now; whatever could still become a stop string is held back."""
        if self.has_matched or not self._stops:
            return "" if self.has_matched else text
        seen = self._held + text
        matches = [(at + len(stop), at) for stop in self._stops if (at := seen.find(stop)) >= 0]
        if matches:
            self.has_matched, self._held = True, ""
            return seen[: min(matches)[1]]
        keep = max(held_back(seen, stop) for stop in self._stops)
        self._held = seen[len(seen) - keep :]
        return seen[: len(seen) - keep]

    def flush(self) -> str:
        """What was held back and became no stop string."""
        rest, self._held = self._held, ""
        return rest


class Answer:
    """The text side of one answer: feed it tokens, take the events, ask whether its text has ended it.

    Every generated token counts, also the stop token and those whose text a stop string cut off: they
    were computed. Hidden tokens, the stop tokens among them, have no text. Stop strings are looked for in
    each run of visible text: one in the reasoning or in a call's arguments ends nothing.
    """

    def __init__(
        self,
        tokenizer: Decodes,
        *,
        hidden: frozenset[int] = frozenset(),
        stops: Sequence[str] = (),
        reader: Reader | None = None,
        context: Sequence[int] = (),
        echo: str = "",
        index: int = 0,
        limit: int | None = None,
        has_scored_echo: bool = False,
        hides_first: bool = False,
    ) -> None:
        self._detokenizer = Detokenizer(tokenizer, context)
        self._hidden = hidden
        self._stops = StopStrings(stops)
        self._reader = reader or Reader()
        self._echo = echo
        self._calls = 0
        self._untold = 0
        self._untold_logprobs: list[TokenLogprob] = []
        self._has_scored_echo = has_scored_echo
        self._hides_first = hides_first
        self.index = index
        self.limit = limit  # tokens; 0 for an echo alone
        self.tokens = 0
        self.reasoning_tokens = 0

    @classmethod
    def of(
        cls,
        request: GenerationRequest,
        prompt: Sequence[int],
        tokenizer: Decodes,
        adapter: Adapter,
        index: int = 0,
    ) -> "Answer":
        """The `index`th answer to be made of `request`, to the prompt with these token ids."""
        if isinstance(request, ChatRequest):
            # No context: an answer begins a text of its own, without the space a continuation has.
            reader, hidden = adapter.reader(prompt, request), adapter.hidden_from(request)
            return cls(tokenizer, hidden=hidden, stops=request.stop, reader=reader, index=index)
        hidden = adapter.hidden_ids | (frozenset() if request.suffix is None else adapter.infill_stop_ids)
        text = request.prompts[index // request.n]
        context = [token for token in prompt if token not in hidden]
        return cls(
            tokenizer,
            hidden=hidden,
            stops=request.stop,
            context=context,
            echo="" if not request.echo else text if isinstance(text, str) else tokenizer.decode(context),
            index=index,
            limit=request.max_tokens,
            has_scored_echo=request.echo and request.logprobs is not None,
            # The begin-of-text token that the tokenizer put before a text is nobody's to see.
            hides_first=isinstance(text, str) and prompt[0] in hidden,
        )

    @property
    def is_stopped(self) -> bool:
        """Whether the text has ended the answer: by a stop string, or by the one call it was allowed."""
        return self._stops.has_matched or self._reader.is_done

    def reason(self, finish: FinishReason | None) -> FinishReason:
        """Why the answer has ended, given why its sequence has."""
        if finish == "length" and not self.is_stopped:
            return "length"
        return "tool_calls" if self._calls else "stop"

    def begin(self) -> list[Event]:
        """What comes before the first token: the prompt's own text, if it is to be echoed."""
        if not self._echo or self._has_scored_echo:
            return []
        return [TextDelta(text=self._echo, index=self.index, tokens=0)]

    def echo(self, logprobs: Sequence[TokenLogprob]) -> list[Event]:
        """The prompt's own text, once the model has been asked about each of its tokens.

        Its log probabilities come in pieces, for those of a long prompt are too much for one frame.
        """
        told = tuple(logprobs[1:] if self._hides_first else logprobs)
        pieces = [told[at : at + _ECHO_PIECE] for at in range(0, len(told), _ECHO_PIECE)] or [()]
        texts = [self._echo, *[""] * (len(pieces) - 1)]
        return [
            TextDelta(text=text, index=self.index, tokens=0, logprobs=piece)
            for text, piece in zip(texts, pieces, strict=True)
        ]

    def feed(self, token: int, logprob: TokenLogprob | None = None) -> list[Event]:
        """The events that `token` brings; none while its text is held back."""
        self.tokens += 1
        self._untold += 1
        if token in self._hidden:
            return []
        if logprob:
            self._untold_logprobs.append(logprob)
        return self._events(self._visible(self._reader.feed(self._detokenizer.feed(token))))

    def flush(self, finish: FinishReason | None = None) -> list[Event]:
        """The rest, once no token follows, for this reason; it may still hold a stop string."""
        rest = self._reader.feed(self._detokenizer.flush())
        pieces = [*rest, *self._reader.flush(is_cut=finish == "length")]
        events = self._events([*self._visible(pieces), *self._shown(self._stops.flush())])
        if self._untold and self._calls and not pieces:
            # What closes a call has no text of its own.
            return [*events, self._told(Piece("tool", "", self._calls - 1))]
        if self._untold and self._reader.has_dropped:
            self._untold_logprobs.clear()  # of no text that is sent
            return [*events, self._told(Piece("text", ""))]
        if not self._untold_logprobs:
            return events
        # Bytes of a character that never came have no text, but they were drawn.
        return [*events, self._told(Piece("text", ""))]

    def _visible(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces up to a stop string in their text."""
        visible: list[Piece] = []
        for piece in pieces:
            if self._stops.has_matched:
                break
            if piece.channel == "text":
                visible += self._shown(self._stops.feed(piece.text))
            else:
                visible += [*self._shown(self._stops.flush()), piece]
        return visible

    def _shown(self, text: str) -> list[Piece]:
        return [Piece("text", text)] if text else []

    def _events(self, pieces: Sequence[Piece]) -> list[Event]:
        return [self._told(piece) for piece in pieces]

    def _told(self, piece: Piece) -> Delta:
        """The piece as an event, which tells of all tokens since the last one."""
        tokens, self._untold = self._untold, 0
        logprobs, self._untold_logprobs = tuple(self._untold_logprobs), []
        if piece.channel == "tool":
            self._calls = piece.call + 1
            return ToolCallDelta(
                call=piece.call,
                id=piece.id,
                name=piece.name,
                text=piece.text,
                index=self.index,
                tokens=tokens,
                logprobs=logprobs,
            )
        if piece.channel == "text":
            return TextDelta(text=piece.text, index=self.index, tokens=tokens, logprobs=logprobs)
        self.reasoning_tokens += tokens
        return ReasoningDelta(text=piece.text, index=self.index, tokens=tokens, logprobs=logprobs)

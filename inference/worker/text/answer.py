"""The text of one answer: its tokens become events.

A token passes through these steps:

1. Hidden tokens, such as stop tokens, are counted and have no text.
2. The detokenizer adds its text, or holds back the bytes of an unfinished character.
3. The adapter's reader splits the text into reasoning, tool calls and visible text.
4. Stop strings end the visible text; what may become one is held back.
5. Each piece becomes an event that reports all tokens, with their log probabilities, since the last event.
"""

from collections.abc import Sequence

from inference.adapters import Adapter
from inference.adapters.channel_reader import ChannelReader
from inference.adapters.piece import Piece
from inference.core.events import (
    Delta,
    Event,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
)
from inference.core.requests import ChatRequest, GenerationRequest
from inference.worker.sampling.thinking_budget import ThinkingBudget
from inference.worker.text.detokenizer import Detokenizer, TokenDecoder
from inference.worker.text.stop_strings import StopStrings

_CONTEXT_TOKENS = 16  # of a prompt whose last message is continued
_ECHO_PIECE = 1024  # log probabilities in one event of an echo


class AnswerText:
    """One answer: `feed` and `flush` return its events, `is_stopped` is True once its text has ended it.

    Every generated token counts, also the stop token and those that a stop string has cut off: they were
    computed. Stop strings are searched in each run of visible text; one in the reasoning or in a call's
    arguments ends nothing. `limit` is in tokens.
    """

    def __init__(
        self,
        tokenizer: TokenDecoder,
        *,
        hidden: frozenset[int] = frozenset(),
        stops: Sequence[str] = (),
        reader: ChannelReader | None = None,
        context: Sequence[int] = (),
        echo: str = "",
        index: int = 0,
        limit: int | None = None,
        has_scored_echo: bool = False,
        hides_first: bool = False,
        min_tokens: int = 0,
        reports_ids: bool = False,
        thinking: ThinkingBudget | None = None,
    ) -> None:
        self._detokenizer = Detokenizer(tokenizer, context)
        self._hidden = hidden
        self._stops = StopStrings(stops)
        self._reader = reader or ChannelReader()
        self._echo = echo
        self._calls = 0
        self._unreported_tokens = 0
        self._unreported_logprobs: list[TokenLogprob] = []
        self._hides_first = hides_first
        self._min_tokens = min_tokens
        self._reports_ids = reports_ids
        self._unreported_ids: list[int] = []
        # With a budget of 0 there is no reasoning that could be cut.
        self._thinking = thinking.start() if thinking and thinking.tokens else None
        self.has_scored_echo = has_scored_echo
        self.index = index
        self.limit = limit  # tokens; 0 for an echo alone
        self.tokens = 0
        self.reasoning_tokens = 0

    @classmethod
    def of(
        cls,
        request: GenerationRequest,
        prompt: Sequence[int],
        tokenizer: TokenDecoder,
        adapter: Adapter,
        index: int = 0,
        thinking: ThinkingBudget | None = None,
    ) -> "AnswerText":
        """Answer number `index` of a request, to the prompt with these token ids."""
        if isinstance(request, ChatRequest):
            return cls(
                tokenizer,
                hidden=adapter.hidden_from(request) | frozenset(request.rules.stop_ids),
                stops=request.stop,
                reader=adapter.reader(prompt, request),
                # What goes on is no text of its own: it may begin with a space.
                context=prompt[-_CONTEXT_TOKENS:] if request.continues else (),
                index=index,
                limit=request.max_tokens,
                min_tokens=request.rules.min_tokens,
                reports_ids=request.returns_token_ids,
                thinking=thinking,
            )
        infill = frozenset() if request.suffix is None else adapter.infill_stop_ids
        hidden = adapter.hidden_ids | infill | frozenset(request.rules.stop_ids)
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
            min_tokens=request.rules.min_tokens,
            reports_ids=request.returns_token_ids,
            has_scored_echo=request.echo and request.logprobs is not None,
            # The tokenizer has put a begin-of-text token before the text, which clients do not see.
            hides_first=isinstance(text, str) and prompt[0] in hidden,
        )

    @property
    def is_stopped(self) -> bool:
        """Whether the text has ended the answer: by a stop string, or by the only call that is allowed."""
        return self._stops.has_matched or self._reader.is_done

    @property
    def stop(self) -> str:
        """The stop string that ended the text; empty where none did."""
        return self._stops.matched

    def reason(self, finish: FinishReason | None) -> FinishReason:
        """The finish reason of the answer, given that of its sequence."""
        if finish == "length" and not self.is_stopped:
            return "length"
        return "tool_calls" if self._calls else "stop"

    @property
    def is_reasoning_cut(self) -> bool:
        """Whether a budget has ended the reasoning."""
        return bool(self._thinking and self._thinking.has_cut)

    def take_ids(self) -> tuple[int, ...]:
        """The ids of the tokens since the last event, where they are to be reported."""
        ids, self._unreported_ids = tuple(self._unreported_ids), []
        return ids

    def begin(self) -> list[Event]:
        """The events before the first token: the prompt's text, if it is echoed without log probabilities."""
        if not self._echo or self.has_scored_echo:
            return []
        return [TextDelta(text=self._echo, index=self.index, tokens=0)]

    def echo(self, logprobs: Sequence[TokenLogprob]) -> list[Event]:
        """The prompt's text with the log probabilities of its tokens.

        They are split over several events, because those of a long prompt do not fit into one frame.
        """
        reported = tuple(logprobs[1:] if self._hides_first else logprobs)
        pieces = [reported[at : at + _ECHO_PIECE] for at in range(0, len(reported), _ECHO_PIECE)] or [()]
        texts = [self._echo, *[""] * (len(pieces) - 1)]
        return [
            TextDelta(text=text, index=self.index, tokens=0, logprobs=piece)
            for text, piece in zip(texts, pieces, strict=True)
        ]

    def feed(self, token: int, logprob: TokenLogprob | None = None) -> list[Event]:
        """The events of one token; none while its text is held back."""
        self.tokens += 1
        self._unreported_tokens += 1
        if self._reports_ids:
            self._unreported_ids.append(token)
        if self._thinking:
            self._thinking.consume(token)
        if token in self._hidden:
            return []
        if logprob:
            self._unreported_logprobs.append(logprob)
        return self._events(self._visible(self._reader.feed(self._detokenizer.feed(token))))

    def flush(self, finish: FinishReason | None = None) -> list[Event]:
        """The events of the text that was held back, after the last token; it may contain a stop string."""
        rest = self._reader.feed(self._detokenizer.flush())
        pieces = [*rest, *self._reader.flush(is_cut=finish == "length")]
        events = self._events([*self._visible(pieces), *self._text_pieces(self._stops.flush())])
        if self._unreported_tokens and self._calls and not pieces:
            # The end of a call has no text, but its tokens are reported.
            return [*events, self._event(Piece("tool", "", self._calls - 1))]
        if self._unreported_tokens and self._reader.has_dropped:
            self._unreported_logprobs.clear()  # their text is not sent
            return [*events, self._event(Piece("text", ""))]
        if not self._unreported_logprobs:
            return events
        # Bytes of a character that was never completed have no text, but were sampled.
        return [*events, self._event(Piece("text", ""))]

    def _visible(self, pieces: Sequence[Piece]) -> list[Piece]:
        """The pieces up to the first stop string in their text."""
        visible: list[Piece] = []
        for piece in pieces:
            if self._stops.has_matched:
                break
            if piece.channel == "text" and self.tokens <= self._min_tokens:
                visible += self._text_pieces(piece.text)
            elif piece.channel == "text":
                visible += self._text_pieces(self._stops.feed(piece.text))
            else:
                visible += [*self._text_pieces(self._stops.flush()), piece]
        return visible

    def _text_pieces(self, text: str) -> list[Piece]:
        return [Piece("text", text)] if text else []

    def _events(self, pieces: Sequence[Piece]) -> list[Event]:
        return [self._event(piece) for piece in pieces]

    def _event(self, piece: Piece) -> Delta:
        """The piece as an event; it reports all tokens since the last event."""
        tokens, self._unreported_tokens = self._unreported_tokens, 0
        logprobs, self._unreported_logprobs = tuple(self._unreported_logprobs), []
        ids = self.take_ids()
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
                ids=ids,
            )
        if piece.channel == "text":
            return TextDelta(text=piece.text, index=self.index, tokens=tokens, logprobs=logprobs, ids=ids)
        self.reasoning_tokens += tokens
        return ReasoningDelta(text=piece.text, index=self.index, tokens=tokens, logprobs=logprobs, ids=ids)

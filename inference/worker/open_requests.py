"""The open requests of one worker, from a submitted frame to their Finished event."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from msgspec import structs

from inference.core.errors import InternalError, InvalidValue, ServerError
from inference.core.events import (
    Accepted,
    Embedded,
    Ended,
    Event,
    Finished,
    FinishReason,
    Progress,
    ReasoningDelta,
    TextDelta,
    Timings,
    Tokenized,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from inference.core.protocol import FrameTooLarge, Happened, Load, Step, Submit, Up
from inference.core.requests import DetokenizeRequest, EmbeddingRequest, TokenizeRequest
from inference.worker.embedding.batch import Vectors
from inference.worker.engine.engine import Add, Command, Remove
from inference.worker.engine.sequence import Output, Prefilled, Sampled, Scored
from inference.worker.model.loading import LoadedModel
from inference.worker.sampling.token_sampler import Logprob
from inference.worker.text.answer import AnswerText
from inference.worker.text.prompts import PreparedPrompt, Prompts

logger = logging.getLogger(__name__)
_MOST_LOGPROBS = 16_384  # in one frame, alternatives too: about a megabyte
_NEVER = -9999.0  # OpenAI's figure for a token that is out of the question
_LOST = InternalError(
    "This request failed while it was computed; the server's log has the details."
).refusal()


@dataclass(eq=False)
class OpenRequest:
    """One request between Accepted and its end; times are perf_counter seconds."""

    number: int
    accepted_at: float
    answers: dict[int, AnswerText]  # by the sequence that makes it; all that have not ended
    prompts: dict[int, int]  # tokens of each prompt, by the first sequence that answers it
    done: dict[int, int] = field(default_factory=dict)  # tokens of each prompt in the KV cache
    cached: dict[int, int] = field(default_factory=dict)
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    prefill_at: float | None = None
    decode_at: float | None = None

    @classmethod
    def of(cls, number: int, asked: list[PreparedPrompt]) -> "OpenRequest":
        answers = {
            sequence.id: answer
            for one in asked
            for sequence, answer in zip(one.sequences, one.answers, strict=True)
        }
        prompts = {one.sequences[0].id: len(one.prompt) for one in asked}
        return cls(number, time.perf_counter(), answers, prompts)

    @property
    def sequences(self) -> set[int]:
        """What the engine may still be doing for it."""
        return {*self.answers, *self.prompts}

    @property
    def prompt_tokens(self) -> int:
        return sum(self.prompts.values())

    def progress(self, prefilled: Prefilled) -> Progress:
        self.prefill_at = self.prefill_at or time.perf_counter()
        if prefilled.id in self.prompts:
            self.done[prefilled.id] = prefilled.done
            # A prompt that is computed again finds itself: only what was there at first was cached.
            self.cached.setdefault(prefilled.id, prefilled.cached)
        done, cached = sum(self.done.values()), sum(self.cached.values())
        return Progress(phase="prefill", done=done, total=self.prompt_tokens, cached=cached)

    def end(self, sequence: int, reason: FinishReason) -> list[Event]:
        """What is told when one answer ends, and with the last one the request."""
        answer = self.answers.pop(sequence)
        self.completion_tokens += answer.tokens
        self.reasoning_tokens += answer.reasoning_tokens
        ended = Ended(reason=reason, index=answer.index)
        return [ended] if self.answers else [ended, self.finished()]

    def finished(self) -> Finished:
        now = time.perf_counter()
        prefill_at, decode_at = self.prefill_at or now, self.decode_at or now
        usage = Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            cached_tokens=sum(self.cached.values()),
            reasoning_tokens=self.reasoning_tokens,
        )
        timings = Timings(
            queue_s=prefill_at - self.accepted_at, prefill_s=decode_at - prefill_at, decode_s=now - decode_at
        )
        return Finished(usage=usage, timings=timings)


class OpenRequests:
    """Prepares on one thread, delivers on another; `post` reaches the engine and `send` the site."""

    def __init__(
        self, model: LoadedModel, options: Load, post: Callable[[Command], None], send: Callable[[Up], None]
    ) -> None:
        self._model = model
        self._prompts = Prompts(model, options)
        self._post = post
        self._send = send
        self._open: dict[int, OpenRequest | None] = {}  # None while being prepared
        self._of_sequence: dict[int, OpenRequest] = {}
        self._leaving = threading.Lock()  # so that nobody leaves between the look and the opening
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="prompt")
        self._preparing_since: float | None = None
        self._outputs: queue.SimpleQueue[list[Output]] = queue.SimpleQueue()
        threading.Thread(target=self._deliver_all, name="text", daemon=True).start()

    def prepare(self, submit: Submit) -> None:
        """Begin to render, tokenise and check a request; it is answered by Accepted or a refusal."""
        self._open[submit.id] = None
        self._preparing.submit(self._prepare, submit)

    def deliver(self, outputs: list[Output]) -> None:
        """Take what an engine step brought; the text is made on another thread."""
        self._outputs.put(outputs)

    def forget(self, number: int) -> None:
        """Drop a request whose reader has left."""
        with self._leaving:
            self._close(self._open.pop(number, None))

    def lose(self, sequences: list[int]) -> None:
        """End requests of which the engine cannot go on with a sequence."""
        lost = {request.number for sequence in sequences if (request := self._of_sequence.get(sequence))}
        for number in lost:
            self.forget(number)
        self._send(Step(happened=tuple(Happened(id=number, failure=_LOST) for number in sorted(lost))))

    @property
    def preparing_s(self) -> float:
        """How long the prompt that is being prepared has taken so far."""
        since = self._preparing_since
        return 0.0 if since is None else time.perf_counter() - since

    def _prepare(self, submit: Submit) -> None:
        self._preparing_since = time.perf_counter()
        try:
            self._begin(submit)
        except ServerError as error:
            self._refuse(submit.id, error)
        except Exception:  # a template or tokenizer can fail in its own ways; only this request may suffer
            logger.exception("Cannot prepare a request")
            self._refuse(submit.id, InternalError("The prompt could not be prepared; see the server's log."))
        finally:
            self._preparing_since = None

    def _begin(self, submit: Submit) -> None:
        if isinstance(submit.request, TokenizeRequest | DetokenizeRequest):
            self._tell_tokens(submit.id, self._prompts.tokenized(submit.request))
            return
        if isinstance(submit.request, EmbeddingRequest):
            self._embed(submit.id, submit.request)
            return
        asked = self._prompts.prepare(submit.request, submit.owner)
        request = OpenRequest.of(submit.id, asked)
        if not self._is_wanted(request):
            return
        answers = [answer for one in asked for answer in one.answers]
        sequences = [sequence for one in asked for sequence in one.sequences]
        most = sum(sequence.max_tokens for sequence in sequences)
        accepted = Accepted(
            prompt_tokens=request.prompt_tokens, max_tokens=most, sampling=sequences[0].sampling
        )
        events = [accepted, *(event for answer in answers for event in answer.begin())]
        for sequence in [one for one in sequences if not (one.max_tokens or one.scores_prompt)]:
            events += self._end(request, sequence.id, "length")
        self._tell(submit.id, events)
        for one in asked:
            if one.sequences[0].id in self._of_sequence:
                self._post(Add(one.sequences))

    def _is_wanted(self, request: OpenRequest) -> bool:
        """Open the request, unless its reader has left meanwhile."""
        with self._leaving:
            if request.number not in self._open:
                return False
            self._open[request.number] = request
            self._of_sequence |= dict.fromkeys(request.sequences, request)
            return True

    def _embed(self, number: int, request: EmbeddingRequest) -> None:
        inputs = self._prompts.inputs(request)
        opened = OpenRequest(number, time.perf_counter(), {}, {inputs.id: sum(map(len, inputs.rows))})
        if self._is_wanted(opened):
            self._tell(number, [Accepted(prompt_tokens=opened.prompt_tokens)])
            self._post(Add((inputs,)))

    def _tell_tokens(self, number: int, tokenized: Tokenized) -> None:
        self._open.pop(number, None)
        usage = Usage(prompt_tokens=sum(map(len, tokenized.tokens)))
        # Nothing goes into a KV cache, so no room is taken for it.
        self._tell(number, [Accepted(prompt_tokens=0), tokenized, Finished(usage=usage)])

    def _refuse(self, number: int, error: ServerError) -> None:
        self._open.pop(number, None)
        self._send(Step(happened=(Happened(id=number, failure=error.refusal()),)))

    def _close(self, request: OpenRequest | None) -> None:
        for sequence in request.sequences if request else ():
            self._of_sequence.pop(sequence, None)
            self._post(Remove(sequence))

    def _tell(self, number: int, events: list[Event]) -> None:
        self._send(Step(happened=tuple(Happened(id=number, what=event) for event in events)))

    def _deliver_all(self) -> None:
        while True:
            outputs = self._outputs.get()
            happened = [item for output in outputs for item in self._happened(output)]
            for part in _parts(happened):
                self._send_part(part)

    def _send_part(self, part: list[Happened]) -> None:
        try:
            self._send(Step(happened=tuple(part)))
        except FrameTooLarge:
            logger.exception("What happened to %d requests is too large to be sent", len(part))
            for number in sorted({item.id for item in part}):
                self.forget(number)
                self._send(Step(happened=(Happened(id=number, failure=_LOST),)))

    def _happened(self, output: Output) -> list[Happened]:
        request = self._of_sequence.get(output.id)
        if not request:
            # Cancelled, or stopped by its text: whatever the engine still made of it is nobody's.
            self._post(Remove(output.id))
            return []
        try:
            return [Happened(id=request.number, what=event) for event in self._events(request, output)]
        except ServerError as error:
            self.forget(request.number)
            return [Happened(id=request.number, failure=error.refusal())]
        except Exception:  # what is wrong with one answer's text ends that answer only
            logger.exception("Cannot make text of request %d", request.number)
            self.forget(request.number)
            return [Happened(id=request.number, failure=_LOST)]

    def _events(self, request: OpenRequest, output: Output) -> list[Event]:
        if isinstance(output, Prefilled):
            return [request.progress(output)]
        if isinstance(output, Scored):
            return self._echo(request, output)
        if isinstance(output, Vectors):
            return self._embedded(request, output)
        return self._text(request, output)

    def _embedded(self, request: OpenRequest, vectors: Vectors) -> list[Event]:
        self._of_sequence.pop(vectors.id, None)
        self._open.pop(request.number, None)
        return [Embedded(vectors=vectors.vectors), request.finished()]

    def _echo(self, request: OpenRequest, scored: Scored) -> list[Event]:
        """The prompt with what the model thought of it; an answer of no tokens ends with it."""
        answer = request.answers[scored.id]
        first, *others = scored.tokens
        logprobs = [structs.replace(self._token(first, 0.0), logprob=None)]
        logprobs += [self._logprob(*pair) for pair in zip(others, scored.logprobs, strict=True)]
        events = answer.echo(logprobs)
        return events if answer.limit else [*events, *self._end(request, scored.id, "length")]

    def _text(self, request: OpenRequest, sampled: Sampled) -> list[Event]:
        if sampled.logprob and sampled.logprob.failure:
            raise InvalidValue(sampled.logprob.failure.message, param=sampled.logprob.failure.param)
        request.decode_at = request.decode_at or time.perf_counter()
        answer = request.answers[sampled.id]
        events = answer.feed(sampled.token, self._told(sampled))
        if not sampled.finish and not answer.is_stopped:
            return events
        if sampled.finish and not answer.is_stopped:
            events += answer.flush(sampled.finish)
        if not sampled.finish:
            self._post(Remove(sampled.id))
        return [*events, *self._end(request, sampled.id, answer.reason(sampled.finish))]

    def _end(self, request: OpenRequest, sequence: int, reason: FinishReason) -> list[Event]:
        told = request.end(sequence, reason)
        self._of_sequence.pop(sequence, None)
        if not request.answers:
            self._open.pop(request.number, None)
        return told

    def _told(self, sampled: Sampled) -> TokenLogprob | None:
        return None if sampled.logprob is None else self._logprob(sampled.token, sampled.logprob)

    def _logprob(self, token: int, logprob: Logprob) -> TokenLogprob:
        top = tuple(self._token(other, value) for other, value in logprob.top)
        return self._token(token, logprob.value, top)

    def _token(self, token: int, logprob: float, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
        octets = self._model.tokenizer.token_bytes(token)
        text = octets.decode(errors="replace")
        # A token that cannot be drawn has minus infinity, which JSON cannot say.
        return TokenLogprob(text=text, bytes=tuple(octets), logprob=max(logprob, _NEVER), top=top)


def _parts(happened: list[Happened]) -> Iterator[list[Happened]]:
    """What happened in one step, in frames of a size that the site reads without stopping for everybody."""
    part: list[Happened] = []
    weight = 0
    for item in happened:
        part.append(item)
        weight += _logprobs_in(item)
        if weight >= _MOST_LOGPROBS:
            yield part
            part, weight = [], 0
    if part:
        yield part


def _logprobs_in(item: Happened) -> int:
    logprobs = item.what.logprobs if isinstance(item.what, TextDelta | ReasoningDelta | ToolCallDelta) else ()
    return sum(1 + len(token.top) for token in logprobs)

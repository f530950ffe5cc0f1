"""The table of a worker's open requests, from a submitted frame to their Finished event.

Three threads use it. The IO loop submits and cancels. The prompt thread renders, tokenizes and checks a
request, and hands its sequences to the engine. The text thread turns the engine's outputs into events.
"""

import logging
import queue
import struct
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from inference.core.errors import InternalError, InvalidValue, ServerError
from inference.core.events import (
    Accepted,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Progress,
    Reranked,
    Tokenized,
    Usage,
)
from inference.core.protocol import FrameTooLarge, Happened, Load, Step, Submit, Up
from inference.core.requests import DetokenizeRequest, EmbeddingRequest, RerankRequest, TokenizeRequest
from inference.worker.embedding.batch import Vectors
from inference.worker.engine.commands import Add, Command, EndSequenceThinking, Remove
from inference.worker.engine.sequence import Output, Prefilled, Sampled, Scored, SequenceCut, Suspended
from inference.worker.lora_loader import LoraLoader
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.open_request import OpenRequest, accepted, additions
from inference.worker.preparation_time import PreparationTime
from inference.worker.prerequisites import Met, Prerequisites
from inference.worker.step_frames import split_into_frames
from inference.worker.text.prompts import Prompts
from inference.worker.token_logprobs import TokenLogprobs

logger = logging.getLogger(__name__)
_FAILED = InternalError(
    "This request failed while it was computed; the server's log has the details."
).refusal()


class OpenRequests:
    """Prepares on the prompt thread and delivers on the text thread.

    `post` hands a command to the engine and `send` a frame to the site; both may be called on any thread.
    """

    def __init__(
        self, model: LoadedModel, options: Load, post: Callable[[Command], None], send: Callable[[Up], None]
    ) -> None:
        self._prompts = Prompts(model, options)
        self._loras = LoraLoader(model.lora_targets, is_cpu=model.device == "cpu", post=post)
        self._needs = Prerequisites(options.model, self._loras, model.vision, model.blindness)
        self._logprobs = TokenLogprobs(model.tokenizer)
        self._post = post
        self._send = send
        self._open: dict[int, OpenRequest | None] = {}  # None while being prepared
        self._by_sequence: dict[int, OpenRequest] = {}
        self._lock = threading.Lock()  # no request is cancelled between its check and its registration
        self._prompt_thread = ThreadPoolExecutor(1, thread_name_prefix="prompt")
        self.preparation = PreparationTime(options.prepare_limit_s)
        self._outputs: queue.SimpleQueue[list[Output]] = queue.SimpleQueue()
        threading.Thread(target=self._deliver_all, name="text", daemon=True).start()

    def prepare(self, submit: Submit) -> None:
        """Render, tokenize and check a request on the prompt thread; Accepted or an error answers it."""
        self._open[submit.id] = None
        self._prompt_thread.submit(self._prepare, submit)

    def deliver(self, outputs: list[Output]) -> None:
        """Take the outputs of an engine step; the text thread turns them into events."""
        self._outputs.put(outputs)

    def cancel(self, number: int) -> None:
        """Drop a request whose client has disconnected; unknown numbers have ended already."""
        with self._lock:
            self._close(self._open.pop(number, None))

    def end_thinking(self, number: int) -> None:
        """Have the engine end a request's reasoning; for a request without sequences it finds none to end."""
        request = self._open.get(number)
        self._post(EndSequenceThinking(number, tuple(request.answers) if request else ()))

    def cut_short(self, number: int) -> None:
        """End the answers of a request where they are, after the tokens that the engine has made."""
        if request := self._open.get(number):
            self.deliver([SequenceCut(one) for one in list(request.answers)])

    def drop_loras(self, names: Collection[str]) -> None:
        """Have the engine drop these adapters."""
        self._loras.drop(names)

    def fail(self, sequences: list[int]) -> None:
        """End the requests of these sequences, which the engine cannot compute, with an internal error."""
        failed = {request.number for sequence in sequences if (request := self._by_sequence.get(sequence))}
        for number in failed:
            self.cancel(number)
        self._send(Step(happened=tuple(Happened(id=number, failure=_FAILED) for number in sorted(failed))))

    def _prepare(self, submit: Submit, met: Met | None = None) -> None:
        try:
            with self.preparation.of_one():
                self._start(submit, met)
        except ServerError as error:
            self._refuse(submit.id, error)
        except Exception:  # templates and tokenizers raise what they like; only this request may fail
            logger.exception("Cannot prepare a request")
            self._refuse(submit.id, InternalError("The prompt could not be prepared; see the server's log."))

    def _start(self, submit: Submit, met: Met | None) -> None:
        """Prepare a request and hand it to the engine; raises ServerError for one that cannot be served.

        1. An adapter that is not in memory is loaded first, and pictures are decoded; the request is prepared
           again with what it needs (`met`) after that.
        2. A tokenize, an embedding or a rerank request has its own, shorter way.
        3. Render and tokenize the prompts, and check them against the loaded model.
        4. Register the request, unless it was cancelled meanwhile.
        5. Send Accepted, and the events of answers that are complete already: echoes without an answer.
        6. Give the engine the sequences of each prompt.
        """
        if met is None:
            met = self._needs.of(submit, partial(self._resume, submit))
        if met is None:
            return
        if isinstance(submit.request, TokenizeRequest | DetokenizeRequest):
            self._send_tokenized(submit.id, self._prompts.tokenized(submit.request, met))
            return
        if isinstance(submit.request, EmbeddingRequest | RerankRequest):
            self._start_embedding(submit.id, submit.request)
            return
        prepared = self._prompts.prepare(submit.request, submit.owner, met)
        request = OpenRequest.of(submit.id, prepared)
        if not self._register(request):
            return
        begun = (event for one in prepared for answer in one.answers for event in answer.begin())
        events: list[Event] = [accepted(request, submit, prepared), *begun]
        for one in [one for prompt in prepared for one in prompt.sequences]:
            events += [] if one.max_tokens or one.scores_prompt else self._end(request, one.id, "length")
        self._send_events(submit.id, events)
        left = [each.sequences for each in prepared if each.sequences[0].id in self._by_sequence]
        for command in additions(submit, left):
            self._post(command)

    def _resume(self, submit: Submit, met: Met | ServerError) -> None:
        """Prepare a request whose needs are met, or refuse it with the problem."""
        with self._lock:
            if not self._is_awaited(submit.id):
                return
        if isinstance(met, ServerError):
            self._refuse(submit.id, met)
        else:
            self._prompt_thread.submit(self._prepare, submit, met)

    def _register(self, request: OpenRequest) -> bool:
        """Enter a prepared request into the table; returns False if it was cancelled meanwhile."""
        with self._lock:
            if not self._is_awaited(request.number):
                return False
            self._open[request.number] = request
            self._by_sequence |= dict.fromkeys(request.sequences, request)
            return True

    def _is_awaited(self, number: int) -> bool:
        """Whether a client still waits for this request. Ask it with the lock held."""
        return number in self._open

    def _start_embedding(self, number: int, request: EmbeddingRequest | RerankRequest) -> None:
        inputs = self._prompts.inputs(request)
        opened = OpenRequest(number, time.perf_counter(), {}, {inputs.id: sum(map(len, inputs.rows))})
        opened.cut = inputs.cut if isinstance(request, RerankRequest) else None
        if self._register(opened):
            accepted = Accepted(prompt_tokens=opened.prompt_tokens, cut_tokens=inputs.cut_tokens)
            self._send_events(number, [accepted])
            self._post(Add((inputs,)))

    def _send_tokenized(self, number: int, tokenized: Tokenized) -> None:
        self._open.pop(number, None)
        usage = Usage(prompt_tokens=sum(map(len, tokenized.tokens)))
        # Nothing goes into a KV cache, so no memory is reserved for it.
        self._send_events(number, [Accepted(prompt_tokens=0), tokenized, Finished(usage=usage)])

    def _refuse(self, number: int, error: ServerError) -> None:
        self._open.pop(number, None)
        self._send(Step(happened=(Happened(id=number, failure=error.refusal()),)))

    def _close(self, request: OpenRequest | None) -> None:
        for sequence in request.sequences if request else ():
            self._by_sequence.pop(sequence, None)
            self._post(Remove(sequence))

    def _send_events(self, number: int, events: list[Event]) -> None:
        self._send(Step(happened=tuple(Happened(id=number, what=event) for event in events)))

    def _deliver_all(self) -> None:
        while True:
            outputs = self._outputs.get()
            happened = [item for output in outputs for item in self._happened(output)]
            for frame in split_into_frames(happened):
                self._send_frame(frame)

    def _send_frame(self, frame: list[Happened]) -> None:
        try:
            self._send(Step(happened=tuple(frame)))
        except FrameTooLarge:
            logger.exception("The events of %d requests are too large for a frame", len(frame))
            for number in sorted({item.id for item in frame}):
                self.cancel(number)
                self._send(Step(happened=(Happened(id=number, failure=_FAILED),)))

    def _happened(self, output: Output) -> list[Happened]:
        request = self._by_sequence.get(output.id)
        if not request:
            # Cancelled, or ended by a stop string: the engine may not have removed the sequence yet.
            self._post(Remove(output.id))
            return []
        try:
            return [Happened(id=request.number, what=event) for event in self._events(request, output)]
        except ServerError as error:
            self.cancel(request.number)
            return [Happened(id=request.number, failure=error.refusal())]
        except Exception:  # an error in one answer's text ends that request only
            logger.exception("Cannot detokenize an answer of request %d", request.number)
            self.cancel(request.number)
            return [Happened(id=request.number, failure=_FAILED)]

    def _events(self, request: OpenRequest, output: Output) -> list[Event]:
        if isinstance(output, Suspended):
            request.pause()
            return [Progress(phase="paused")]
        request.resume()
        if isinstance(output, SequenceCut):
            return self._cut(request, output.id)
        if isinstance(output, Prefilled):
            return [request.progress(output)]
        if isinstance(output, Scored):
            return self._echo(request, output)
        if isinstance(output, Vectors):
            return self._embedded(request, output)
        return self._text(request, output)

    def _embedded(self, request: OpenRequest, vectors: Vectors) -> list[Event]:
        self._by_sequence.pop(vectors.id, None)
        self._open.pop(request.number, None)
        if request.cut is None:
            return [Embedded(vectors=vectors.vectors), request.finished()]
        scores = tuple(struct.unpack("<f", one)[0] for one in vectors.vectors)
        return [Reranked(scores=scores, cut=request.cut), request.finished()]

    def _echo(self, request: OpenRequest, scored: Scored) -> list[Event]:
        """The prompt with its log probabilities; an answer of no tokens ends with it."""
        answer, wanted = request.answers[scored.id], request.prompt_logprobs
        events: list[Event] = []
        if wanted is not None and scored.id in request.prompts:
            place = list(request.prompts).index(scored.id)
            events += self._logprobs.events_of_prompt(scored, place, wanted)
        if answer.has_scored_echo:
            events += answer.echo(self._logprobs.of_prompt(scored, request.logprobs))
        return [*events, *self._end(request, scored.id, "length")] if answer.limit == 0 else events

    def _text(self, request: OpenRequest, sampled: Sampled) -> list[Event]:
        """The events of one sampled token; raises InvalidValue when the answer cannot follow its schema."""
        if sampled.logprob and sampled.logprob.failure:
            raise InvalidValue(sampled.logprob.failure.message, param=sampled.logprob.failure.param)
        request.decode_at = request.decode_at or time.perf_counter()
        request.drafts.add(sampled.draft)
        answer = request.answers[sampled.id]
        events = answer.feed(sampled.token, self._logprobs.of_sampled(sampled))
        if not sampled.finish and not answer.is_stopped:
            return events
        if sampled.finish and not answer.is_stopped:
            events += answer.flush(sampled.finish)
        if not sampled.finish:
            self._post(Remove(sampled.id))
        return [*events, *self._end(request, sampled.id, answer.reason(sampled.finish))]

    def _cut(self, request: OpenRequest, sequence: int) -> list[Event]:
        """The end of an answer that the pool has no memory for."""
        self._post(Remove(sequence))
        request.cut_by = "memory"
        return [*request.answers[sequence].flush("length"), *self._end(request, sequence, "length")]

    def _end(self, request: OpenRequest, sequence: int, reason: FinishReason) -> list[Event]:
        events = request.end(sequence, reason)
        self._by_sequence.pop(sequence, None)
        if not request.answers:
            self._open.pop(request.number, None)
        return events

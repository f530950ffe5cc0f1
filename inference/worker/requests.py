"""The open requests of one worker, from a submitted frame to their Finished event."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from inference.errors import ContextLengthExceeded, InternalError, InvalidValue, ServerError
from inference.protocol import Happened, Load, Step, Submit, Up
from inference.types import (
    Accepted,
    ChatRequest,
    Event,
    Finished,
    FinishReason,
    Progress,
    Request,
    Timings,
    TokenLogprob,
    Usage,
)
from inference.worker.batch import Output, Prefilled, Sampled, Sequence
from inference.worker.engine import Add, Command, Remove
from inference.worker.loading import LoadedModel
from inference.worker.text import Answer

logger = logging.getLogger(__name__)
_NEVER = -9999.0  # OpenAI's figure for a token that is out of the question
_LOST = InternalError(
    "This request failed while it was computed; the server's log has the details."
).refusal()


@dataclass(eq=False)
class Open:
    """One request between Accepted and its end; times are perf_counter seconds."""

    answer: Answer
    prompt_tokens: int
    accepted_at: float
    cached_tokens: int = 0
    prefill_at: float | None = None
    decode_at: float | None = None

    def timings(self, now: float) -> Timings:
        prefill_at = self.prefill_at or now
        decode_at = self.decode_at or now
        return Timings(
            queue_s=prefill_at - self.accepted_at, prefill_s=decode_at - prefill_at, decode_s=now - decode_at
        )


class Requests:
    """Prepares on one thread, delivers on another; `post` reaches the engine and `send` the site."""

    def __init__(
        self, model: LoadedModel, options: Load, post: Callable[[Command], None], send: Callable[[Up], None]
    ) -> None:
        self._model = model
        self._options = options
        self._post = post
        self._send = send
        self._open: dict[int, Open | None] = {}  # None while being prepared
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
            self._open.pop(number, None)
        self._post(Remove(number))

    def lose(self, numbers: list[int]) -> None:
        """End requests that the engine cannot go on with."""
        lost = [number for number in numbers if self._open.pop(number, None)]
        self._send(Step(happened=tuple(Happened(id=number, failure=_LOST) for number in lost)))

    @property
    def preparing_s(self) -> float:
        """How long the prompt that is being prepared has taken so far."""
        since = self._preparing_since
        return 0.0 if since is None else time.perf_counter() - since

    def _prepare(self, submit: Submit) -> None:
        self._preparing_since = time.perf_counter()
        try:
            sequence, answer = self._accept(submit)
        except ServerError as error:
            self._refuse(submit.id, error)
        except Exception:  # a template or tokenizer can fail in its own ways; only this request may suffer
            logger.exception("Cannot prepare a request")
            self._refuse(submit.id, InternalError("The prompt could not be prepared; see the server's log."))
        else:
            self._begin(sequence, answer)
        finally:
            self._preparing_since = None

    def _accept(self, submit: Submit) -> tuple[Sequence, Answer]:
        request, model = submit.request, self._model
        self._check_size(request)
        if isinstance(request, ChatRequest):
            prompt = model.adapter.render(request.messages)
        else:
            prompt = model.tokenizer.encode_prompt(request.prompt)
        self._check_vocabulary(request, prompt)
        self._check_bias(request)
        sequence = Sequence(
            id=submit.id,
            prompt=tuple(prompt),
            max_tokens=self._room(request, len(prompt)),
            sampling=request.sampling.over(model.own_sampling),
            stop_ids=model.stop_ids,
            owner=submit.owner,
            logprobs=request.logprobs,
        )
        return sequence, Answer.of(request, prompt, model.tokenizer, model.adapter)

    def _check_size(self, request: Request) -> None:
        # Tokenising megabytes takes many seconds, for which everybody else's prompts would wait.
        if isinstance(request, ChatRequest):
            size = sum(len(message.content.encode()) for message in request.messages)
        else:
            size = len(request.prompt.encode())
        at_least, context = size // self._model.tokenizer.longest_bytes, self._model.context_length
        if at_least > context:
            raise ContextLengthExceeded(
                f"This model's context is {context} tokens; the prompt has at least {at_least}. Shorten it.",
                param=_prompt_field(request),
            )

    def _check_vocabulary(self, request: Request, prompt: list[int]) -> None:
        # MLX does not check: an id beyond the embedding reads foreign memory or ends the process.
        if max(prompt) >= self._model.vocab_size:
            raise InvalidValue(
                "The prompt has a token that the model does not know: its tokenizer is the larger one.",
                param=_prompt_field(request),
            )

    def _check_bias(self, request: Request) -> None:
        # As above: an id beyond the logits would be written to, which has ended processes.
        for token, bias in request.sampling.logit_bias:
            if not 0 <= token < self._model.vocab_size:
                raise InvalidValue(
                    f"This model has no token {token}; its ids end at {self._model.vocab_size - 1}.",
                    param="logit_bias",
                )
            if not math.isfinite(bias):
                raise InvalidValue("A bias must be a finite number.", param="logit_bias")

    def _room(self, request: Request, prompt_tokens: int) -> int:
        """How many tokens the answer may have; raises when prompt and answer exceed the context."""
        context = self._model.context_length
        wanted = request.max_tokens or 1
        if prompt_tokens + wanted > context:
            raise ContextLengthExceeded(
                f"This model's context is {context} tokens; the prompt has {prompt_tokens} and the answer "
                f"needs {wanted}. Shorten the prompt or lower max_tokens.",
                param=_prompt_field(request),
            )
        return request.max_tokens or min(self._options.max_output_tokens, context - prompt_tokens)

    def _begin(self, sequence: Sequence, answer: Answer) -> None:
        with self._leaving:
            if sequence.id not in self._open:
                return  # its reader left meanwhile
            self._open[sequence.id] = Open(answer, len(sequence.prompt), time.perf_counter())
        accepted = Accepted(prompt_tokens=len(sequence.prompt), max_tokens=sequence.max_tokens)
        self._tell(sequence.id, [accepted, *answer.begin()])
        self._post(Add(sequence))

    def _refuse(self, number: int, error: ServerError) -> None:
        self._open.pop(number, None)
        self._send(Step(happened=(Happened(id=number, failure=error.refusal()),)))

    def _tell(self, number: int, events: list[Event]) -> None:
        self._send(Step(happened=tuple(Happened(id=number, what=event) for event in events)))

    def _deliver_all(self) -> None:
        while True:
            outputs = self._outputs.get()
            happened = [item for output in outputs for item in self._happened(output)]
            if happened:
                self._send(Step(happened=tuple(happened)))

    def _happened(self, output: Output) -> list[Happened]:
        try:
            return [Happened(id=output.id, what=event) for event in self._events(output)]
        except Exception:  # what is wrong with one answer's text ends that answer only
            logger.exception("Cannot make text of request %d", output.id)
            self.forget(output.id)
            return [Happened(id=output.id, failure=_LOST)]

    def _events(self, output: Output) -> list[Event]:
        request = self._open.get(output.id)
        if not request:
            # Cancelled, or stopped by its text: whatever the engine still made of it is nobody's.
            self._post(Remove(output.id))
            return []
        if isinstance(output, Prefilled):
            request.prefill_at = request.prefill_at or time.perf_counter()
            request.cached_tokens = output.cached
            return [Progress(phase="prefill", done=output.done, total=output.total)]
        return self._text(request, output)

    def _text(self, request: Open, sampled: Sampled) -> list[Event]:
        request.decode_at = request.decode_at or time.perf_counter()
        answer = request.answer
        events = answer.feed(sampled.token, self._told(sampled))
        if not sampled.finish and not answer.is_stopped:
            return events
        if sampled.finish and not answer.is_stopped:
            events += answer.flush()
        if not sampled.finish:
            self._post(Remove(sampled.id))
        reason: FinishReason = "stop" if answer.is_stopped else sampled.finish or "stop"
        return [*events, self._finish(sampled.id, request, reason)]

    def _told(self, sampled: Sampled) -> TokenLogprob | None:
        if sampled.logprob is None:
            return None
        top = tuple(self._token(token, value) for token, value in sampled.logprob.top)
        return self._token(sampled.token, sampled.logprob.value, top)

    def _token(self, token: int, logprob: float, top: tuple[TokenLogprob, ...] = ()) -> TokenLogprob:
        octets = self._model.tokenizer.token_bytes(token)
        text = octets.decode(errors="replace")
        # A token that cannot be drawn has minus infinity, which JSON cannot say.
        return TokenLogprob(text=text, bytes=tuple(octets), logprob=max(logprob, _NEVER), top=top)

    def _finish(self, number: int, request: Open, reason: FinishReason) -> Finished:
        self._open.pop(number, None)
        usage = Usage(
            prompt_tokens=request.prompt_tokens,
            completion_tokens=request.answer.tokens,
            cached_tokens=request.cached_tokens,
        )
        return Finished(reason=reason, usage=usage, timings=request.timings(time.perf_counter()))


def _prompt_field(request: Request) -> str:
    return "messages" if isinstance(request, ChatRequest) else "prompt"

"""A trial: one model generates for some seconds, and its speed is measured."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from django.conf import settings

from inference.core.errors import ServerError
from inference.core.events import Accepted, Event, Finished, ReasoningDelta, TextDelta
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded
from inference.core.principal import ANYBODY
from inference.core.requests import ChatRequest, Message, Sampling
from inference.serving import generation, runtime
from inference.serving.health.finding import CheckResult, SpeedFigures

SECONDS = 20.0
PROMPT_TIMEOUT_S = 60.0  # for the prompt, after the timeout of the load
_GB = 10**9
_SENTENCE = "Tell me a story about a fox, a crow and the winter they shared. "
_SENTENCES = 30  # a prompt long enough for a rate
_TEMPLATE = 256  # tokens that a chat template may add
_NONE = f"Run `{PROGRAM} serve` once for the starter model, or `{PROGRAM} pull OWNER/NAME`."
_FAILED = f"The output of its worker above may say why; `{PROGRAM} pull OWNER/NAME` downloads another model."


def trial(seconds: float = SECONDS) -> list[CheckResult]:
    """Run the smallest chat model that can be served; the first result is the device it ran on."""
    found = [card for card in runtime.catalog().scan() if card.is_servable and not card.is_remote]
    cards = [card for card in found if card.kind == "chat"]
    if not cards:
        return [
            device(),
            CheckResult(about="model", text="There is no model to try.", state="look", advice=_NONE),
        ]
    (smallest,) = runtime.pool().fitted(min(cards, key=lambda card: card.resident_bytes))
    try:
        loaded, figures = asyncio.run(run_trial(smallest, seconds))
    except TimeoutError:
        text = f"{smallest.id} did not begin to answer."
    except ServerError as error:
        text = f"{smallest.id} did not answer: {error.message}"
    else:
        return [device(loaded), speed(figures)]
    return [device(), CheckResult(about="model", text=text, state="wrong", advice=_FAILED)]


def device(loaded: Loaded | None = None) -> CheckResult:
    """The device setting, and the device that the model of the trial ran on."""
    setting = f"MLX_SERVER_DEVICE is {settings.CONFIG.device}"
    if loaded is None:
        return CheckResult(about="device", text=f"{setting}; no model ran to confirm it")
    blas = f" with {loaded.blas}" if loaded.blas else ""
    return CheckResult(about="device", text=f"{setting}; the model ran on the {loaded.device.upper()}{blas}")


def speed(figures: SpeedFigures) -> CheckResult:
    """The figures as a result; a model that stopped after its first token counts as wrong."""
    end = " until its context was full" if figures.has_filled_context else ""
    text = (
        f"{figures.model}: loaded in {figures.load_s:.1f} s; read {figures.prompt_tokens} tokens at "
        f"{figures.prompt_rate:.1f} per second; generated {figures.tokens} in {figures.decode_s:.1f} s at "
        f"{figures.decode_rate:.1f} per second{end}; at most {figures.peak_bytes / _GB:.2f} GB"
    )
    if figures.decode_rate:
        return CheckResult(about="model", text=text, figures=figures)
    return CheckResult(about="model", text=text, state="wrong", advice=_FAILED, figures=figures)


async def run_trial(
    card: ModelCard, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> tuple[Loaded, SpeedFigures]:
    """Load the model and have it generate for `seconds`.

    Raises TimeoutError or a ServerError when it generates nothing.
    """
    timing, loop = Timing(clock), asyncio.get_running_loop()
    try:
        async with (
            asyncio.timeout(settings.CONFIG.load_timeout_s + PROMPT_TIMEOUT_S) as limit,
            aclosing(generation.stream(question(card), ANYBODY)) as events,
        ):
            async for event in events:
                if timing.record(event):
                    limit.reschedule(loop.time() + seconds)
    except TimeoutError:
        if not timing.has_started:
            raise
    finally:
        resident = runtime.pool().snapshot().of(card.id)
        await runtime.pool().close()
    loaded = resident.loaded
    if loaded is None:
        raise TimeoutError
    return loaded, timing.figures(card, loaded, max(loaded.memory.peak, resident.memory.peak))


def question(card: ModelCard) -> ChatRequest:
    """A prompt of at most a quarter of the context, and an answer as long as context and memory allow."""
    text = _SENTENCE * max(1, min(_SENTENCES, card.context_length // 4 // len(_SENTENCE)))
    # In the worst case, each byte is a token.
    prompt_tokens = len(text.encode()) + min(_TEMPLATE, card.context_length // 4)
    answer_tokens = card.context_length - prompt_tokens
    if card.kv_bytes_per_token:
        # Half of the free memory, because the device may allow less than the setting.
        free = (settings.CONFIG.memory_limit_bytes - card.load_bytes) // 2
        answer_tokens = min(answer_tokens, free // card.kv_bytes_per_token - prompt_tokens)
    return ChatRequest(
        model=card.id,
        messages=(Message(role="user", content=text),),
        max_tokens=max(1, answer_tokens),
        sampling=Sampling(temperature=0),
        ignores_end=True,
    )


class Timing:
    """The times of one request's events."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._accepted = self._first = self._last = 0.0
        self._prompt_tokens = self._early = self._tokens = 0
        self._is_finished = False

    @property
    def has_started(self) -> bool:
        return self._tokens > 0

    def record(self, event: Event) -> bool:
        """Record an event; True for the first one of the answer."""
        match event:
            case Accepted(prompt_tokens=tokens):
                self._accepted, self._prompt_tokens = self._clock(), tokens
            case TextDelta(tokens=tokens) | ReasoningDelta(tokens=tokens):
                return self._add(tokens)
            case Finished():
                self._is_finished = True
        return False

    def _add(self, tokens: int) -> bool:
        self._last = self._clock()
        self._tokens += tokens
        if self._tokens > tokens:
            return False
        self._first, self._early = self._last, tokens
        return True

    def figures(self, card: ModelCard, loaded: Loaded, peak_bytes: int) -> SpeedFigures:
        """The speed; the first tokens belong to the prompt, so the decode rate counts those after them."""
        prompt_s, decode_s = self._first - self._accepted, self._last - self._first
        return SpeedFigures(
            model=card.id,
            device=loaded.device,
            load_s=self._accepted - self._started,
            prompt_tokens=self._prompt_tokens,
            prompt_s=prompt_s,
            prompt_rate=self._prompt_tokens / prompt_s if prompt_s > 0 else 0.0,
            tokens=self._tokens,
            decode_s=decode_s,
            decode_rate=(self._tokens - self._early) / decode_s if decode_s > 0 else 0.0,
            peak_bytes=peak_bytes,
            has_filled_context=self._is_finished,
        )

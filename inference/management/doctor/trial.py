"""A model that answers for so many seconds, and how fast it does."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from django.conf import settings

from inference.core.errors import ServerError
from inference.core.events import Accepted, Event, Finished, ReasoningDelta, TextDelta
from inference.core.model_card import ModelCard
from inference.core.pool_state import Loaded
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message, Sampling
from inference.management.doctor.finding import CheckResult, Figures
from inference.serving import generation, runtime

SECONDS = 20.0
PATIENCE_S = 60.0  # for a prompt, beyond the time that a load may take
_GB = 10**9
_SENTENCE = "Tell me a story about a fox, a crow and the winter they shared. "
_SENTENCES = 30  # a prompt long enough for a rate
_TEMPLATE = 256  # tokens that a chat template may add of its own
_NONE = "Run `manage.py serve` once for the starter model, or `manage.py pull OWNER/NAME`."
_FAILED = "What its worker wrote above may say more; `manage.py pull OWNER/NAME` brings another model."


def trial(seconds: float = SECONDS) -> list[CheckResult]:
    """The smallest chat model that can be served answers; where it ran comes first."""
    cards = [card for card in runtime.catalog().scan() if card.is_servable and card.kind == "chat"]
    if not cards:
        return [
            device(),
            CheckResult(about="model", text="There is no model to try.", state="look", advice=_NONE),
        ]
    smallest = min(cards, key=lambda card: card.resident_bytes)
    try:
        loaded, figures = asyncio.run(tried(smallest, seconds))
    except TimeoutError:
        text = f"{smallest.id} did not begin to answer."
    except ServerError as error:
        text = f"{smallest.id} did not answer: {error.message}"
    else:
        return [device(loaded), told(figures)]
    return [device(), CheckResult(about="model", text=text, state="wrong", advice=_FAILED)]


def device(loaded: Loaded | None = None) -> CheckResult:
    """Where models are to run, and where the one that was tried did."""
    wish = f"MLX_SERVER_DEVICE is {settings.CONFIG.device}"
    if loaded is None:
        return CheckResult(about="device", text=f"{wish}; no model ran, which would have shown where")
    blas = f" with {loaded.blas}" if loaded.blas else ""
    return CheckResult(about="device", text=f"{wish}; the model ran on the {loaded.device.upper()}{blas}")


def told(figures: Figures) -> CheckResult:
    """The figures as a sentence; a model that stopped after its first token is not well."""
    end = ", for which there was room" if figures.has_filled_room else ""
    text = (
        f"{figures.model}: loaded in {figures.load_s:.1f} s; read {figures.prompt_tokens} tokens at "
        f"{figures.prompt_rate:.1f} a second; made {figures.tokens} in {figures.decode_s:.1f} s at "
        f"{figures.decode_rate:.1f} a second{end}; at most {figures.peak_bytes / _GB:.2f} GB"
    )
    if figures.decode_rate:
        return CheckResult(about="model", text=text, figures=figures)
    return CheckResult(about="model", text=text, state="wrong", advice=_FAILED, figures=figures)


async def tried(
    card: ModelCard, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> tuple[Loaded, Figures]:
    """Load and ask it; TimeoutError or a ServerError when there is no answer."""
    course, loop = Timing(clock), asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.CONFIG.load_timeout_s + PATIENCE_S) as limit:
            async with aclosing(generation.stream(question(card), Principal(kind="local"))) as events:
                async for event in events:
                    if course.note(event):
                        limit.reschedule(loop.time() + seconds)
    except TimeoutError:
        if not course.has_begun:
            raise
    finally:
        resident = runtime.pool().snapshot().of(card.id)
        await runtime.pool().close()
    loaded = resident.loaded
    if loaded is None:
        raise TimeoutError
    return loaded, course.figures(card, loaded, max(loaded.memory.peak, resident.memory.peak))


def question(card: ModelCard) -> ChatRequest:
    """A prompt of a quarter of the context at most, and an answer as long as context and memory allow."""
    text = _SENTENCE * max(1, min(_SENTENCES, card.context_length // 4 // len(_SENTENCE)))
    # A poor tokenizer makes a token of each byte.
    taken = len(text.encode()) + min(_TEMPLATE, card.context_length // 4)
    room = card.context_length - taken
    if card.kv_bytes_per_token:
        # Half of what is free: the device may allow less than the setting.
        free = (settings.CONFIG.memory_limit_bytes - card.load_bytes) // 2
        room = min(room, free // card.kv_bytes_per_token - taken)
    return ChatRequest(
        model=card.id,
        messages=(Message(role="user", content=text),),
        max_tokens=max(1, room),
        sampling=Sampling(temperature=0),
        ignores_end=True,
    )


class Timing:
    """When what happened to the one request."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._accepted = self._first = self._last = 0.0
        self._prompt_tokens = self._early = self._tokens = 0
        self._is_finished = False

    @property
    def has_begun(self) -> bool:
        return self._tokens > 0

    def note(self, event: Event) -> bool:
        """Whether this was the beginning of the answer."""
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

    def figures(self, card: ModelCard, loaded: Loaded, peak_bytes: int) -> Figures:
        """The first tokens are the prompt's work: the rate of decoding is of those after them."""
        prompt_s, decode_s = self._first - self._accepted, self._last - self._first
        return Figures(
            model=card.id,
            device=loaded.device,
            load_s=self._accepted - self._began,
            prompt_tokens=self._prompt_tokens,
            prompt_s=prompt_s,
            prompt_rate=self._prompt_tokens / prompt_s if prompt_s > 0 else 0.0,
            tokens=self._tokens,
            decode_s=decode_s,
            decode_rate=(self._tokens - self._early) / decode_s if decode_s > 0 else 0.0,
            peak_bytes=peak_bytes,
            has_filled_room=self._is_finished,
        )

"""The use case: one request in, its events out. The API and the playground both call `stream`."""

import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from msgspec import structs

from inference.accounts.account_limits import ACCOUNTS
from inference.accounts.rate_limits import LIMITS
from inference.accounts.token_quota import TokenQuota
from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Event, Finished, Progress
from inference.core.principal import Principal
from inference.core.profile import Profile
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    GenerationRequest,
    Lora,
    Prompt,
    Request,
    RerankRequest,
    Sampling,
    Tool,
)
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import Lease
from inference.serving import picture_check, runtime, tracing, visible_models
from inference.serving.active_requests import STREAMS, ActiveRequest
from inference.serving.event_observer import EventObserver
from inference.serving.metrics.site_metrics import METRICS
from inference.serving.picture_memory import PICTURES
from inference.serving.recording.request_recorder import recorded

_BYTES_PER_TOKEN = 3  # of UTF-8: cautious for English, where it is 4, and right where a character is a token
_TOKENS_PER_MESSAGE = 16  # what chat templates put around one


async def stream(
    request: Request, principal: Principal, answer_id: str = "", kind: str = ""
) -> AsyncGenerator[Event]:
    """Yield the events of `request`, in order: Progress*, Accepted, deltas and Progress*, Finished.

    `answer_id` is the id under which the client knows the answer: STREAMS finds it by that. `kind` is
    recorded in place of the request's own, for requests that the site makes by itself.

    Raises a ServerError instead of the rest when it cannot go on. Closing the iterator at any point
    cancels the work and releases the model; use it inside `contextlib.aclosing`.
    """
    await visible_models.check(principal, request.model)
    request = await picture_check.checked(request, principal)
    account = await ACCOUNTS.of(principal)
    with (
        METRICS.requests.measured(lambda: _label_of(request)) as measured,
        tracing.request_span(request, principal) as span,
        recorded(request, principal, runtime.ledger(), kind=kind) as recorder,
        STREAMS.open(recorder, answer_id) as active,
        PICTURES.hold(request),
    ):
        observers: list[EventObserver] = [span, recorder, measured]
        if recorder.captured:
            observers.insert(0, recorder.captured)
        async with (
            LIMITS.stream(principal) as of_key,
            LIMITS.account_stream(principal, account, is_own=not kind) as of_account,
        ):
            measured.follow(recorder.entry)
            quotas = [TokenQuota(of_key, principal.allowance)] if of_key else []
            if of_account and account:
                quotas.append(TokenQuota(of_account, account.allowance))
            answer = _answer(request, principal, active)
            for quota in quotas:
                observers.insert(0, quota)  # first: what it refuses has not happened for the others
                answer = _cut_off(quota, request, answer)
            async with aclosing(answer) as events:
                while (event := await active.next_of(events)) is not None:
                    _observe(event, observers)
                    yield event


def _observe(event: Event, observers: Sequence[EventObserver]) -> None:
    for observer in observers:
        observer.note(event)


def _label_of(request: Request) -> str:
    return METRICS.labels.of_card(runtime.catalog().known(request.model))


async def _cut_off(
    quota: TokenQuota, request: Request, events: AsyncGenerator[Event]
) -> AsyncGenerator[Event]:
    """The same events, cut off once the quota has noted the last token of the day."""
    async with aclosing(events):
        async for event in events:
            yield event
            if quota.is_spent and isinstance(request, ChatRequest | CompletionRequest):
                for end in quota.cut(request.answers):
                    yield end
                return


async def _answer(request: Request, principal: Principal, active: ActiveRequest) -> AsyncGenerator[Event]:
    pool = runtime.pool()
    pending = pool.lease(
        request.model, prompt_tokens(request), kind_of(request), answers_of(request), principal.share
    )
    async with pending as lease:
        async for progress in lease.progress():
            yield progress
        # It does not wait any more, although it is not accepted yet.
        active.recorder.note(Progress(phase="prefill"))
        complete = completed(request, lease.sampling, lease.lora, lease.profile)
        lease.limit(complete)
        active.end_thinking = lambda: lease.runner.end_thinking(complete)
        try:
            async with aclosing(lease.runner.submit(complete, owner_of(request, principal))) as events:
                async for event in events:
                    _note(event, request, lease)
                    yield event
        except ContextLengthExceeded as error:
            lease.accept(0, 0)  # nothing was computed, so it holds none of what is free
            raise error.adding(pool.context_fits(lease.card)[0].text) from None


def _note(event: Event, request: Request, lease: Lease) -> None:
    if isinstance(event, Accepted):
        lease.accept(event.prompt_tokens * copies_of(request), event.max_tokens)
    elif isinstance(event, Finished) and isinstance(request, ChatRequest | CompletionRequest):
        lease.note_length(event.usage.completion_tokens // request.answers)


def completed(
    request: Request, chosen: Sampling, lora: Lora | None = None, profile: Profile | None = None
) -> Request:
    """The request with its adapter or profile, and the operator's sampling where both set none.

    The model's own sampling comes after that.
    """
    if profile:
        request = profile.applied_to(request)
    if not isinstance(request, ChatRequest | CompletionRequest) or (chosen == Sampling() and not lora):
        return request
    return structs.replace(request, sampling=request.sampling.over(chosen), lora=lora)


def owner_of(request: Request, principal: Principal) -> str:
    """The owner of the prefixes that the request may use: one user and cache key of a principal."""
    parts = (principal.owner, getattr(request, "user", ""), getattr(request, "cache_key", ""))
    return json.dumps(parts) if any(parts[1:]) else principal.owner


def kind_of(request: Request) -> str:
    """Which kind of model can answer; empty for any."""
    if isinstance(request, EmbeddingRequest):
        return "embedding"
    if isinstance(request, RerankRequest):
        return "rerank"
    return "chat" if isinstance(request, ChatRequest | CompletionRequest) else ""


def prompt_tokens(request: Request) -> int:
    """A cautious estimate of the prompts' tokens in all KV caches, until the worker has counted."""
    if not isinstance(request, ChatRequest | CompletionRequest):
        return 0
    return (_prompt_tokens(request) + _picture_tokens(request)) * request.n


def answers_of(request: Request) -> Answers | None:
    """The answers for which memory is reserved; None for a request that generates none."""
    if not isinstance(request, ChatRequest | CompletionRequest):
        return None
    return Answers(request.answers, request.max_tokens)


def copies_of(request: Request) -> int:
    """How many sequences hold each prompt's KV cache: it is computed once, but each of them has its own."""
    return request.n if isinstance(request, ChatRequest | CompletionRequest) else 1


def _prompt_tokens(request: GenerationRequest) -> int:
    prompts: tuple[Prompt, ...]
    if isinstance(request, ChatRequest):
        prompts = (*(message.content for message in request.messages), *_written(request.tools))
    else:
        prompts = request.prompts
    return sum(map(_tokens_in, prompts))


def _picture_tokens(request: GenerationRequest) -> int:
    if not isinstance(request, ChatRequest):
        return 0
    pictures = [picture for message in request.messages for picture in message.pictures]
    return picture_check.tokens_of(pictures, runtime.catalog().known(request.model)) if pictures else 0


def _written(tools: Iterable[Tool]) -> Iterable[str]:
    return (tool.name + tool.description + tool.parameters for tool in tools)


def _tokens_in(prompt: Prompt) -> int:
    if not isinstance(prompt, str):
        return len(prompt)
    return len(prompt.encode(errors="replace")) // _BYTES_PER_TOKEN + _TOKENS_PER_MESSAGE

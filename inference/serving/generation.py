"""The use case: one request in, its events out. The API and the playground both call `stream`."""

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from django.conf import settings
from msgspec import structs

from inference.accounts.rate_limits import LIMITS
from inference.accounts.token_quota import TokenQuota
from inference.core.events import Accepted, Event, Progress
from inference.core.principal import Principal
from inference.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    GenerationRequest,
    Prompt,
    Request,
    Sampling,
    Tool,
)
from inference.serving import runtime, tracing
from inference.serving.active_requests import STREAMS
from inference.serving.recording.request_recorder import RequestRecorder, watched

_BYTES_PER_TOKEN = 3  # of UTF-8: cautious for English, where it is 4, and right where a character is a token
_TOKENS_PER_MESSAGE = 16  # what chat templates put around one


async def stream(request: Request, principal: Principal) -> AsyncGenerator[Event]:
    """Yield what happens to `request`, in order: Progress*, Accepted, deltas and Progress*, Finished.

    Raises a ServerError instead of the rest when it cannot go on. Closing the iterator at any point
    cancels the work and releases the model; use it inside `contextlib.aclosing`.
    """
    with (
        tracing.request_span(request, principal) as span,
        watched(request, principal, runtime.ledger()) as watch,
        STREAMS.open(watch) as running,
        LIMITS.stream(principal) as meter,
    ):
        answer = _answer(request, principal, watch)
        if meter:
            answer = _within(TokenQuota(meter, principal.allowance), request, answer)
        async with aclosing(answer) as events:
            while (event := await running.next_of(events)) is not None:
                span.note(event)
                watch.note(event)
                yield event


async def _within(
    share: TokenQuota, request: Request, events: AsyncGenerator[Event]
) -> AsyncGenerator[Event]:
    """The same events, cut off where the tokens of the key's day end."""
    async with aclosing(events):
        async for event in events:
            share.note(event)
            yield event
            if share.is_spent and isinstance(request, ChatRequest | CompletionRequest):
                for end in share.cut(request.answers):
                    yield end
                return


async def _answer(request: Request, principal: Principal, watch: RequestRecorder) -> AsyncGenerator[Event]:
    claim = runtime.pool().lease(request.model, most_tokens(request), kind_of(request))
    async with claim as lease:
        async for progress in lease.progress():
            yield progress
        watch.note(Progress(phase="prefill"))  # it waits for nobody any more, also before it is accepted
        asked = completed(request, lease.sampling)
        async with aclosing(lease.runner.submit(asked, owner_of(request, principal))) as events:
            async for event in events:
                if isinstance(event, Accepted):
                    lease.correct(event.prompt_tokens * copies_of(request) + event.max_tokens)
                yield event


def completed(request: Request, chosen: Sampling) -> Request:
    """The request with the operator's sampling in what it leaves open; the model's own comes after that."""
    if not isinstance(request, ChatRequest | CompletionRequest) or chosen == Sampling():
        return request
    return structs.replace(request, sampling=request.sampling.over(chosen))


def owner_of(request: Request, principal: Principal) -> str:
    """Whose prefixes the request may find and add to: within a principal, those of one user and key."""
    parts = (principal.owner, getattr(request, "user", ""), getattr(request, "cache_key", ""))
    return json.dumps(parts) if any(parts[1:]) else principal.owner


def kind_of(request: Request) -> str:
    """Which kind of model can answer; empty for any."""
    if isinstance(request, EmbeddingRequest):
        return "embedding"
    return "chat" if isinstance(request, ChatRequest | CompletionRequest) else ""


def most_tokens(request: Request) -> int:
    """A cautious estimate of prompt and answer together, until the worker has counted."""
    if not isinstance(request, ChatRequest | CompletionRequest):
        return 0
    answer = request.max_tokens if request.max_tokens is not None else settings.CONFIG.max_output_tokens
    return _prompt_tokens(request) * request.n + answer * request.answers


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


def _written(tools: Iterable[Tool]) -> Iterable[str]:
    return (tool.name + tool.description + tool.parameters for tool in tools)


def _tokens_in(prompt: Prompt) -> int:
    if not isinstance(prompt, str):
        return len(prompt)
    return len(prompt.encode(errors="replace")) // _BYTES_PER_TOKEN + _TOKENS_PER_MESSAGE

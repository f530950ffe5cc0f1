"""The use case: one request in, its events out. The API and the playground both call `stream`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference import runtime, tracing
from inference.types import Event, Principal, Request


async def stream(request: Request, principal: Principal) -> AsyncGenerator[Event]:
    """Yield what happens to `request`, in order: Progress*, Accepted, deltas and Progress*, Finished.

    Raises a ServerError instead of the rest when it cannot go on. Closing the iterator at any point
    cancels the work and releases the model; use it inside `contextlib.aclosing`.
    """
    with tracing.request_span(request, principal) as span:
        async with runtime.pool().lease(request.model) as lease:
            async for progress in lease.progress():
                span.note(progress)
                yield progress
            async with aclosing(lease.runner.submit(request, principal.owner)) as events:
                async for event in events:
                    span.note(event)
                    yield event

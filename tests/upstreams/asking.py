"""Asking an UpstreamRunner, as the pool does."""

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing

from inference.core.errors import ServerError
from inference.core.events import Event, Finished, TextDelta
from inference.core.requests import ChatRequest, Message, Request
from inference.core.upstream import Address, Route
from inference.upstreams.balancer import Balancer
from inference.upstreams.upstream_runner import UpstreamRunner
from inference.upstreams.upstreams import card_of
from tests.upstreams.fake_server import Answer, fake_server

ASKED = ChatRequest(model="ours", messages=(Message(role="user", content="Hi \ud800"),))
CARD = card_of(Route(model="ours", context_length=4096))


def saying(number: int) -> ChatRequest:
    """The beginning of a conversation of its own."""
    return ChatRequest(model="ours", messages=(Message(role="user", content=str(number)),))


async def loaded(
    addresses: Sequence[Address], silence_s: float = 60, clock: Callable[[], float] = time.monotonic
) -> UpstreamRunner:
    route = Route(model="ours", context_length=4096, addresses=tuple(addresses), can_reason=True)
    runner = UpstreamRunner(lambda model: route, Balancer(clock), silence_s=silence_s)
    await runner.load(CARD, lambda progress: None)
    return runner


async def events_of(runner: UpstreamRunner, request: Request = ASKED) -> list[Event]:
    async with aclosing(runner.submit(request, "me")) as events:
        return [event async for event in events]


async def outcome_of(
    answer: Answer, silence_s: float = 60, request: Request = ASKED
) -> tuple[str, ServerError | Finished]:
    """The text that came, and the one end that the stream had."""
    async with fake_server(answer) as server:
        runner = await loaded([server.address()], silence_s)
        text, end = "", None
        try:
            async with aclosing(runner.submit(request)) as events:
                async for event in events:
                    assert end is None
                    text += event.text if isinstance(event, TextDelta) else ""
                    end = event if isinstance(event, Finished) else None
        except ServerError as error:
            assert end is None
            return text, error
        finally:
            await runner.stop()
    assert end
    return text, end

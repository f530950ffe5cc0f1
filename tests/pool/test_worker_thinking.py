"""The end of reasoning on request, on a real worker: the frames between the site and the engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from inference.core.events import Ended, Event, Finished, ReasoningDelta, TextDelta
from inference.core.requests import ChatRequest, Sampling, TokenRules
from inference.pool import ProcessRunner
from tests.pool.worker_models import ask, chat, started
from tests.tiny import CHATML, SPECIAL, make_tiny_model, never_ends

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
THINKS = (*SPECIAL, "<think>", "</think>")
OPENED = CHATML + "{% if add_generation_prompt %}<think>\n{% endif %}"
LETTERS = TokenRules(min_tokens=4000, allowed_ids=tuple(range(65, 91)))  # and what is forced


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    folder: Path = make_tiny_model(
        tmp_path_factory.mktemp("models") / "tiny", template=OPENED, context=8192, special=THINKS
    )
    runner = await started(never_ends(folder))
    yield runner
    await runner.stop()


def thinking(**fields: Any) -> ChatRequest:
    """Reason without end; a request that waits for its end would wait for seconds."""
    own: dict[str, Any] = {
        "max_tokens": 4000,
        "rules": LETTERS,
        "sampling": Sampling(temperature=1.0, seed=3),
    } | fields
    return chat(**own)


async def asked(runner: ProcessRunner, request: ChatRequest, after: int = 5) -> tuple[int, list[Event]]:
    """The answer to a request whose reasoning is ended after some pieces, and what ending it returned."""
    events: list[Event] = []
    ended: asyncio.Task[int] | None = None
    async with aclosing(runner.submit(request)) as stream:
        async for event in stream:
            events.append(event)
            if ended is None and len(pieces(events, ReasoningDelta)) == after:
                ended = asyncio.create_task(runner.end_thinking(request))
            if len(pieces(events, TextDelta)) == 8:
                break
    assert ended is not None
    return await ended, events


def pieces(events: list[Event], kind: type[ReasoningDelta | TextDelta], index: int = 0) -> list[str]:
    return [event.text for event in events if isinstance(event, kind) and event.index == index]


async def test_the_answer_begins_at_once(runner: ProcessRunner) -> None:
    ended, events = await asked(runner, thinking())
    assert ended == 1
    assert 5 <= len(pieces(events, ReasoningDelta)) < 2000
    kinds = [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)]
    assert kinds.index(TextDelta) == len(pieces(events, ReasoningDelta))


async def test_every_answer_of_the_request_begins(runner: ProcessRunner) -> None:
    request = thinking(n=2, max_tokens=3000)
    stream = runner.submit(request)
    events: list[Event] = []
    async with aclosing(stream):
        async for event in stream:
            events.append(event)
            if all(len(pieces(events, ReasoningDelta, index)) > 3 for index in (0, 1)):
                break
        assert await runner.end_thinking(request) == 2
        async for event in stream:
            events.append(event)
            if all(len(pieces(events, TextDelta, index)) > 3 for index in (0, 1)):
                break


async def test_its_seed_makes_the_same_reasoning_up_to_there(runner: ProcessRunner) -> None:
    _, events = await asked(runner, thinking())
    reasoning = "".join(pieces(events, ReasoningDelta))
    free = await ask(runner, thinking(max_tokens=len(reasoning) + 10))
    assert "".join(pieces(free, ReasoningDelta)).startswith(reasoning)


async def test_forced_tokens_count_and_the_answer_ends_as_any(runner: ProcessRunner) -> None:
    request = thinking(max_tokens=600)
    stream = runner.submit(request)
    async with aclosing(stream):
        events = [await anext(stream) for _ in range(9)]
        assert await runner.end_thinking(request) == 1
        events += [event async for event in stream]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert Ended(reason="length") in events and finished.usage.completion_tokens == 600
    assert 5 < finished.usage.reasoning_tokens < 600


@pytest.mark.parametrize("fields", [{"thinking_budget": 0}, {"thinking": False}])
async def test_an_answer_that_is_not_reasoning_is_not_touched(
    runner: ProcessRunner, fields: dict[str, object]
) -> None:
    request = thinking(**fields)
    stream = runner.submit(request)
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, TextDelta):
                break
        assert await runner.end_thinking(request) == 0


async def test_a_request_that_has_ended_or_never_was_has_no_reasoning(runner: ProcessRunner) -> None:
    request = thinking(max_tokens=5)
    await ask(runner, request)
    assert await runner.end_thinking(request) == 0
    assert await runner.end_thinking(thinking()) == 0


async def test_of_two_equal_requests_only_the_one_meant_begins(runner: ProcessRunner) -> None:
    request = thinking()
    other = structs.replace(request)
    streams = [runner.submit(request), runner.submit(other)]
    async with aclosing(streams[0]), aclosing(streams[1]):
        for stream in streams:
            for _ in range(8):
                await anext(stream)
        assert await runner.end_thinking(other) == 1
        ended = [await anext(streams[1]) for _ in range(300)]
        still = [await anext(streams[0]) for _ in range(300)]
    assert pieces(ended, TextDelta) and not pieces(still, TextDelta)


async def test_nobody_waits_for_a_worker_that_has_ended(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny", template=OPENED, context=8192, special=THINKS)
    runner = await started(never_ends(folder))
    request = thinking()
    stream = runner.submit(request)
    for _ in range(6):
        await anext(stream)
    waiting = asyncio.create_task(runner.end_thinking(request))
    await runner.stop()
    await stream.aclose()
    assert await asyncio.wait_for(waiting, 10) in (0, 1)
    assert await runner.end_thinking(request) == 0


@pytest.mark.parametrize(("budget", "is_cut"), [(5, True), (0, False), (None, False)])
async def test_an_answer_reports_that_a_budget_has_cut_its_reasoning(
    runner: ProcessRunner, budget: int | None, is_cut: bool
) -> None:
    request = thinking(
        thinking_budget=budget,
        max_tokens=20,
        n=2,
        rules=TokenRules(min_tokens=20, allowed_ids=LETTERS.allowed_ids),
    )
    events = await ask(runner, request)
    assert [event.is_reasoning_cut for event in events if isinstance(event, Ended)] == [is_cut] * 2
    (finished,) = (event for event in events if isinstance(event, Finished))
    assert finished.usage.reasoning_truncated is is_cut

"""The prefix cache across the process boundary: who hits it, what is reported, how it is shed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from inference.core.events import Accepted, Finished, Progress, TextDelta, Usage
from inference.core.requests import Message
from inference.pool import ProcessRunner
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.worker_models import OPTIONS, chat
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
KV_BYTES = 2 * 2 * 2 * 16 * 4  # of a token: keys and values, layers, heads, their size, fp32
LONG = "A prompt that is long enough to be worth keeping for its next turn. " * 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    folder = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=2048)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prefix_cache_bytes=10**8))
    await runner.load(card(path=str(folder)), lambda progress: None)
    yield runner
    await runner.stop()


async def usage(runner: ProcessRunner, content: str, owner: str) -> Usage:
    async with aclosing(runner.submit(chat(content), owner)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.usage
    raise AssertionError("no end")


async def test_the_same_prompt_is_cached_for_its_owner_only(runner: ProcessRunner) -> None:
    assert (await usage(runner, LONG, "user:a")).cached_tokens == 0
    assert (await usage(runner, LONG, "user:b")).cached_tokens == 0
    again = await usage(runner, LONG, "user:a")
    assert again.cached_tokens == again.prompt_tokens - 1


async def test_the_next_turn_of_a_chat_computes_its_new_part_only(runner: ProcessRunner) -> None:
    first = chat("Second turn: " + LONG)
    async with aclosing(runner.submit(first, "user:c")) as events:
        answer = "".join([e.text async for e in events if isinstance(e, TextDelta)])
    turns = (*first.messages, Message(role="assistant", content=answer), Message(role="user", content="and?"))
    second = msgspec.structs.replace(first, messages=turns)
    async with aclosing(runner.submit(second, "user:c")) as events:
        received = [event async for event in events]
    prefill = next(e for e in received if isinstance(e, Progress))
    cached = next(e.usage.cached_tokens for e in received if isinstance(e, Finished))
    assert cached > len(LONG) and prefill.done > cached


async def test_memory_reports_have_what_can_be_shed_and_shedding_frees_it(runner: ProcessRunner) -> None:
    await usage(runner, "Shed " + LONG, "user:d")
    reports: asyncio.Queue[int] = asyncio.Queue()
    runner.on_memory(lambda memory: reports.put_nowait(memory.prefix_cache))
    while not await reports.get():
        pass
    runner.shed(0)
    async with asyncio.timeout(10):
        while await reports.get():
            pass
    assert (await usage(runner, "Shed " + LONG, "user:d")).cached_tokens == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    """A worker with memory for three prompts of 1,500 tokens."""
    folder = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=4096)
    runner = ProcessRunner(msgspec.structs.replace(OPTIONS, prefix_cache_bytes=3 * 1700 * KV_BYTES))
    await runner.load(card(path=str(folder)), lambda progress: None)
    yield runner
    await runner.stop()


class Agent:
    """A conversation that begins with long instructions of its own."""

    def __init__(self, name: str) -> None:
        self.request = chat(f"{name}: " + f"{name} does its work with care. " * 55)

    async def new_tokens(self, runner: ProcessRunner, owner: str) -> int:
        """The next turn; returns the tokens of its prompt that were computed."""
        async with aclosing(runner.submit(self.request, owner)) as events:
            received = [event async for event in events]
        answer = "".join(event.text for event in received if isinstance(event, TextDelta))
        spoken = (Message(role="assistant", content=answer), Message(role="user", content="And then?"))
        self.request = msgspec.structs.replace(self.request, messages=(*self.request.messages, *spoken))
        usage = next(event.usage for event in received if isinstance(event, Finished))
        return usage.prompt_tokens - usage.cached_tokens


@nightly
async def test_a_second_turn_beside_four_others_with_memory_for_three_computes_what_is_new(
    small: ProcessRunner,
) -> None:
    agents = [Agent(name) for name in ("Ada", "Ben", "Cyd", "Dan", "Eve")]
    first = [await agent.new_tokens(small, "user:five") for agent in agents]
    assert min(first) > 1200
    assert await agents[0].new_tokens(small, "user:five") < 100


@nightly
async def test_of_five_that_take_turns_with_memory_for_three_some_always_hit(small: ProcessRunner) -> None:
    agents = [Agent(name) for name in ("Fay", "Gus", "Hal", "Ivy", "Jon")]
    for _ in range(3):
        computed = [await agent.new_tokens(small, "user:turns") for agent in agents]
    assert sum(1 for tokens in computed if tokens < 100) >= 2


async def test_accepted_has_the_limit_of_the_answer(runner: ProcessRunner) -> None:
    async with aclosing(runner.submit(chat(max_tokens=None), "user:e")) as events:
        accepted = await anext(events)
    assert isinstance(accepted, Accepted)
    assert accepted.max_tokens == accepted.answer_limit == 2048 - accepted.prompt_tokens


async def test_a_conversation_on_disk_survives_the_worker(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny", context=2048)
    options = msgspec.structs.replace(
        OPTIONS, prefix_cache_bytes=10**8, prefix_disk_path=str(tmp_path / "disk"), prefix_disk_bytes=10**8
    )
    cached: list[int] = []
    for owner in ("user:a", "user:a", "user:b"):
        worker = ProcessRunner(options)
        await worker.load(card(path=str(folder)), lambda progress: None)
        cached.append((await usage(worker, LONG, owner)).cached_tokens)
        await worker.stop()
    assert cached[0] == 0 and cached[1] > len(LONG) and cached[2] == 0

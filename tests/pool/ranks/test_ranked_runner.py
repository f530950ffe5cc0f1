"""Two ranks on real workers, connected by MLX's ring over loopback: they answer as one, and end as one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from msgspec import structs

from inference.core.errors import ModelLoadFailed, WorkerDied
from inference.core.events import Event, Finished, Progress, TextDelta, Usage
from inference.core.pool_state import Loaded, Memory
from inference.core.protocol import GrowthWanted
from inference.core.requests import Request, Sampling
from inference.pool import ProcessRunner
from inference.pool.ranks.ranked_runner import RankedRunner, total
from inference.pool.workers.growths import Growth
from tests.fakes import card
from tests.nightly import nightly
from tests.pool.ranks.groups import CACHED, processes, start, text
from tests.pool.worker_models import ask, chat, endless_chat
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"n": {"enum": [1, 20]}},
        "required": ["n"],
        "additionalProperties": False,
    }
)
# Of unequal length: they are prefilled together and leave the batch one by one.
REQUESTS: tuple[Request, ...] = (
    chat("hi"),
    chat("tell me more of it, please", sampling=Sampling(temperature=1, seed=3), n=2),
    chat("x" * 150, sampling=Sampling(temperature=0.8, top_p=0.9, seed=4), max_tokens=6),
    chat("a number", schema=SCHEMA, sampling=Sampling(temperature=1, seed=1), max_tokens=60),
    chat("stop", stop=("e", "a", "o"), sampling=Sampling(temperature=1, seed=8)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=8192)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def alone(folder: Path) -> list[list[str]]:
    """The answers of one rank."""
    runner = ProcessRunner(CACHED)
    await runner.load(card(path=str(folder)), lambda progress: None)
    answers = await answers_of(runner)
    await runner.stop()
    return answers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(folder: Path) -> AsyncIterator[tuple[RankedRunner, Loaded]]:
    runner, loaded = await start(folder)
    found = processes(runner)
    yield runner, loaded
    await runner.stop()
    assert not any(process.is_running() for process in found)


async def answers_of(runner: ProcessRunner) -> list[list[str]]:
    """The answers to all requests, asked together."""
    everything = await asyncio.gather(*(ask(runner, one) for one in REQUESTS))
    return [[text(events, index) for index in range(2)] for events in everything]


async def test_a_batch_is_answered_as_by_one_rank(
    two: tuple[RankedRunner, Loaded], alone: list[list[str]]
) -> None:
    runner, loaded = two
    answers = await answers_of(runner)
    assert answers == alone
    assert set(json.loads(answers[3][0])) == {"n"}
    assert "ranks" in {finding.about for finding in loaded.findings}


async def test_a_request_that_leaves_in_the_middle_changes_no_other(
    two: tuple[RankedRunner, Loaded], alone: list[list[str]]
) -> None:
    runner, _ = two
    async with aclosing(runner.submit(endless_chat("x" * 70))) as leaving:
        async for event in leaving:
            if isinstance(event, TextDelta):
                break
        staying = asyncio.create_task(ask(runner, REQUESTS[1]))
        await asyncio.sleep(0.1)
    events = await staying
    assert [text(events, index) for index in range(2)] == alone[1]


async def test_a_prefix_is_found_again_and_shed_on_all_ranks(two: tuple[RankedRunner, Loaded]) -> None:
    runner, _ = two
    first, again = await ask(runner, chat("y" * 200)), await ask(runner, chat("y" * 200))
    assert text(first) == text(again) and usage(again).cached_tokens > 150
    is_shed = asyncio.Event()
    runner.on_memory(lambda memory: None if memory.prefix_cache else is_shed.set())
    runner.shed(0)
    await asyncio.wait_for(is_shed.wait(), 60)
    assert usage(await ask(runner, chat("y" * 200))).cached_tokens == 0


async def test_each_rank_holds_a_part_and_all_of_them_count(two: tuple[RankedRunner, Loaded]) -> None:
    runner, loaded = two
    own, other = runner.ranks
    assert (own.rank, other.rank, other.host) == (0, 1, "")
    assert own.pid != other.pid and own.memory.active > 0 and other.memory.active > 0
    assert runner.memory.active >= other.memory.active + own.memory.kv
    # Of the tiny model 2 layers keep 2 heads of 16 numbers, as keys and values.
    assert loaded.kv_bytes_per_token == 2 * 2 * 2 * 16 * 4


async def test_a_paused_request_goes_on_to_the_same_text(
    two: tuple[RankedRunner, Loaded], alone: list[list[str]]
) -> None:
    runner, _ = two

    def grant(wanted: GrowthWanted) -> None:
        if growth.orders and wanted.is_paused:  # it has used up what was granted, and left the batch
            growth.orders.grant(wanted.tokens)

    growth = Growth(tokens=4, kv_tokens=4096, on_wanted=grant)
    runner.limit_growth(REQUESTS[0], growth)
    events = await ask(runner, REQUESTS[0])
    assert text(events) == alone[0][0]
    assert any(isinstance(one, Progress) and one.phase == "paused" for one in events)


@nightly
async def test_a_rank_that_hangs_ends_the_model(folder: Path) -> None:
    runner, _ = await start(folder, stuck_after_s=20)
    found = processes(runner)
    with pytest.raises(WorkerDied, match=r"for 20 s"):
        async with aclosing(runner.submit(endless_chat())) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    found[1].suspend()
    await runner.stop()
    assert not any(process.is_running() for process in found)


@nightly
async def test_what_cannot_be_divided_is_refused_with_the_reason(folder: Path) -> None:
    with pytest.raises(ModelLoadFailed, match="4 attention heads cannot be divided among 3 ranks"):
        await start(folder, ranks=3)


async def test_memories_are_added_figure_by_figure() -> None:
    one = Memory(active=1, peak=2, cache=3, resident=4, kv=5, prefix_cache=6)
    assert total([one, structs.replace(one, kv=10)]) == Memory(
        active=2, peak=4, cache=6, resident=8, kv=15, prefix_cache=12
    )


# The last one: it ends the group of the others.
async def test_the_end_of_any_rank_ends_the_model_and_it_can_be_loaded_again(
    two: tuple[RankedRunner, Loaded], folder: Path, alone: list[list[str]]
) -> None:
    await ends_with(two[0], 1)
    again, _ = await start(folder)
    assert text(await ask(again, REQUESTS[0])) == alone[0][0]
    await ends_with(again, 0)


async def ends_with(runner: RankedRunner, rank: int) -> None:
    """Kill one rank in the middle of a request: the request fails with the reason, and no rank is left."""
    found = processes(runner)
    with pytest.raises(WorkerDied, match=f"its rank {rank} was killed by signal 9"):
        async with aclosing(runner.submit(endless_chat())) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    found[rank].kill()
    async with asyncio.timeout(10):
        await runner.wait_ended()
    await runner.stop()
    assert runner.death_reason == "killed"
    psutil.wait_procs(found, timeout=5)
    assert not any(process.is_running() for process in found)


def usage(events: list[Event]) -> Usage:
    (finished,) = [event for event in events if isinstance(event, Finished)]
    return finished.usage

"""The pool with fake runners: who gets a model, who waits, who goes."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from inference.core.errors import (
    ModelLoadFailed,
    ModelNotFound,
    ModelTooLarge,
    PoolFull,
    QueueFull,
    ServerError,
    ShuttingDown,
    WorkerDied,
)
from inference.core.events import Finished, TextDelta
from inference.core.pool_state import ModelState
from inference.core.requests import ChatRequest, Message
from inference.pool import Pool
from tests.each import each
from tests.fakes import GB, FakeRunner, card, fake_pool


def request(model: str = "tiny") -> ChatRequest:
    return ChatRequest(model=model, messages=(Message(role="user", content="hi"),))


async def ask(pool: Pool, model: str = "tiny") -> str:
    """The whole answer of one request."""
    async with pool.lease(model) as lease:
        async for _ in lease.progress():
            pass
        async with aclosing(lease.runner.submit(request(model))) as events:
            return "".join([event.text async for event in events if isinstance(event, TextDelta)])


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Wait until a callable is true, giving the loop its turns."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


def state(pool: Pool, model: str = "tiny") -> ModelState:
    return pool.snapshot().of(model).state


async def test_it_loads_on_demand_and_answers() -> None:
    pool = fake_pool([FakeRunner()])
    assert state(pool) == ModelState.UNLOADED
    assert await ask(pool) == "Hello there"
    assert state(pool) == ModelState.READY


async def test_it_loads_once_for_many_requests() -> None:
    gate = asyncio.Event()
    runner = FakeRunner(load_gate=gate)
    pool = fake_pool([runner], queue_limit=64)
    answers = [asyncio.ensure_future(ask(pool)) for _ in range(50)]
    await until(lambda: pool.snapshot().waiting == 50)
    gate.set()
    assert await asyncio.gather(*answers) == ["Hello there"] * 50
    assert runner.loads == ["tiny"]


async def test_it_reports_the_load_as_progress() -> None:
    gate = asyncio.Event()
    pool = fake_pool([FakeRunner(load_gate=gate)])
    async with pool.lease("tiny") as lease:
        async for progress in lease.progress():
            if progress.done == 40:
                gate.set()
    assert (progress.phase, progress.total, progress.load_phase) == ("loading", 100, "weights")


async def test_it_counts_leases_while_streams_run() -> None:
    hold = asyncio.Event()
    pool = fake_pool([FakeRunner(hold=hold)])
    answer = asyncio.ensure_future(ask(pool))
    await until(lambda: state(pool) == ModelState.BUSY)
    assert pool.snapshot().of("tiny").leases == 1
    hold.set()
    await answer
    assert pool.snapshot().of("tiny").leases == 0


async def test_it_evicts_the_least_recently_used_idle_model() -> None:
    runners = [FakeRunner(), FakeRunner(), FakeRunner()]
    pool = fake_pool(runners, card("a"), card("b"), card("c"), limit_bytes=2 * GB)
    for model in ("a", "b", "a", "c"):
        await ask(pool, model)
    assert runners[1].is_stopped
    assert (state(pool, "a"), state(pool, "b")) == (ModelState.READY, ModelState.UNLOADED)


async def test_it_never_evicts_a_busy_model() -> None:
    hold = asyncio.Event()
    runners = [FakeRunner(hold=hold), FakeRunner()]
    pool = fake_pool(runners, card("a"), card("b"), limit_bytes=GB)
    first = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: state(pool, "a") == ModelState.BUSY)
    second = asyncio.ensure_future(ask(pool, "b"))
    await until(lambda: pool.snapshot().waiting == 1)
    assert not runners[0].is_stopped
    hold.set()
    assert (await first, await second) == ("Hello there", "Hello there")
    assert runners[0].is_stopped


async def test_it_never_evicts_a_loading_model() -> None:
    gate = asyncio.Event()
    runners = [FakeRunner(load_gate=gate), FakeRunner()]
    pool = fake_pool(runners, card("a"), card("b"), limit_bytes=GB)
    first = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: state(pool, "a") == ModelState.LOADING)
    second = asyncio.ensure_future(ask(pool, "b"))
    await until(lambda: pool.snapshot().waiting == 2)
    assert not runners[0].is_stopped
    gate.set()
    assert list(await asyncio.gather(first, second)) == ["Hello there", "Hello there"]


async def test_a_load_goes_on_when_its_request_leaves() -> None:
    gate = asyncio.Event()
    pool = fake_pool([FakeRunner(load_gate=gate)])
    answer = asyncio.ensure_future(ask(pool))
    await until(lambda: state(pool) == ModelState.LOADING)
    answer.cancel()
    gate.set()
    await until(lambda: state(pool) == ModelState.READY)
    assert pool.snapshot().waiting == 0


async def test_leaving_early_cancels_and_releases() -> None:
    hold = asyncio.Event()
    runner = FakeRunner(hold=hold)
    pool = fake_pool([runner])
    answer = asyncio.ensure_future(ask(pool))
    await until(lambda: runner.running == 1)
    answer.cancel()
    await until(lambda: state(pool) == ModelState.READY)
    assert runner.cancelled == 1


async def test_a_failed_load_fails_all_pending_leases_and_can_be_retried() -> None:
    gate = asyncio.Event()
    pool = fake_pool([FakeRunner(load_error="no weights", load_gate=gate), FakeRunner()])
    answers = [asyncio.ensure_future(ask(pool)) for _ in range(3)]
    await until(lambda: pool.snapshot().waiting == 3)
    gate.set()
    results = await asyncio.gather(*answers, return_exceptions=True)
    assert [type(result) for result in results] == [ModelLoadFailed] * 3
    assert (state(pool), pool.snapshot().of("tiny").reason) == (ModelState.FAILED, "no weights")
    assert await ask(pool) == "Hello there"


async def test_a_load_that_hangs_is_given_up() -> None:
    runner = FakeRunner(load_gate=asyncio.Event())
    pool = fake_pool([runner], load_timeout_s=0.05)
    with pytest.raises(ModelLoadFailed, match="longer than"):
        await ask(pool)
    assert runner.is_stopped


async def test_a_dead_worker_ends_its_streams_and_the_next_request_gets_a_new_one() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    pool = fake_pool([runner, FakeRunner(["again"])])
    answer = asyncio.ensure_future(ask(pool))
    await until(lambda: runner.running == 1)
    runner.die()
    with pytest.raises(WorkerDied):
        await answer
    await until(lambda: state(pool) == ModelState.UNLOADED)
    assert await ask(pool) == "again"


@each(
    ("model", "error"),
    [("nope", ModelNotFound), ("huge", ModelTooLarge), ("broken", ModelLoadFailed)],
)
async def test_it_refuses_at_once_what_waiting_cannot_mend(model: str, error: type[ServerError]) -> None:
    pool = fake_pool([], card(), card("huge", resident_bytes=99 * GB), card("broken", problem="no weights"))
    with pytest.raises(error) as refusal:
        await ask(pool, model)
    assert refusal.value.param == "model"


async def test_it_refuses_more_waiters_than_its_queue_holds() -> None:
    pool = fake_pool([FakeRunner(load_gate=asyncio.Event())], queue_limit=2)
    waiting = [asyncio.ensure_future(ask(pool)) for _ in range(2)]
    await until(lambda: pool.snapshot().waiting == 2)
    with pytest.raises(QueueFull):
        await ask(pool)
    for task in waiting:
        task.cancel()


async def test_a_model_takes_no_more_streams_than_it_decodes_together() -> None:
    hold = asyncio.Event()
    runner = FakeRunner(hold=hold)
    pool = fake_pool([runner], max_leases=2, queue_limit=1)
    asking = [asyncio.ensure_future(ask(pool))]
    await until(lambda: runner.running == 1)
    asking += [asyncio.ensure_future(ask(pool)) for _ in range(2)]
    await until(lambda: runner.running == 2 and pool.snapshot().waiting == 1)
    with pytest.raises(QueueFull):
        await ask(pool)
    hold.set()
    assert await asyncio.gather(*asking) == ["Hello there"] * 3


async def test_it_gives_up_waiting_for_room_after_a_while() -> None:
    hold = asyncio.Event()
    pool = fake_pool([FakeRunner(hold=hold)], card("a"), card("b"), limit_bytes=GB, wait_limit_s=0.05)
    busy = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: state(pool, "a") == ModelState.BUSY)
    with pytest.raises(PoolFull) as refusal:
        await ask(pool, "b")
    assert refusal.value.retry_after
    hold.set()
    await busy


async def test_closing_ends_workers_and_fails_pending_leases() -> None:
    gate = asyncio.Event()
    runner = FakeRunner(load_gate=gate)
    pool = fake_pool([runner], card("a"), card("b"), limit_bytes=GB)
    waiting = [asyncio.ensure_future(ask(pool, model)) for model in ("a", "b")]
    await until(lambda: pool.snapshot().waiting == 2)
    await pool.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [ShuttingDown, ShuttingDown]
    assert runner.is_stopped
    with pytest.raises(ShuttingDown):
        await ask(pool, "a")


async def test_a_stream_ends_with_exactly_one_terminal_event() -> None:
    pool = fake_pool([FakeRunner()])
    async with pool.lease("tiny") as lease:
        async for _ in lease.progress():
            pass
        events = [event async for event in lease.runner.submit(request())]
    assert [isinstance(event, Finished) for event in events].count(True) == 1
    assert isinstance(events[-1], Finished)


async def test_a_load_is_logged_with_its_seconds_and_size(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="inference.pool")
    await ask(fake_pool([FakeRunner()]))
    assert "Loaded tiny: 0.0 s, 1.0 GB; free 9.0 GB of 10.0 GB" in caplog.text

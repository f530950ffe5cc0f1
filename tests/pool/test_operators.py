"""What operators ask of the pool: loads and unloads beside the requests."""

import asyncio

import pytest

from inference.core.errors import InvalidValue, ModelLoadFailed
from inference.core.pool_state import ModelState
from tests.fakes import GB, FakeRunner, card, fake_pool
from tests.pool.test_pool import ask, state, until


async def test_load_and_unload_are_idempotent() -> None:
    runner = FakeRunner()
    pool = fake_pool([runner])
    await pool.load("tiny")
    await pool.load("tiny")
    await until(lambda: state(pool) == ModelState.READY)
    assert await pool.unload("tiny")
    await until(lambda: state(pool) == ModelState.UNLOADED)
    assert not await pool.unload("tiny")
    assert (runner.loads, runner.is_stopped) == (["tiny"], True)


async def test_unload_waits_for_the_last_stream() -> None:
    hold = asyncio.Event()
    runner = FakeRunner(hold=hold)
    pool = fake_pool([runner])
    answer = asyncio.ensure_future(ask(pool))
    await until(lambda: runner.running == 1)
    await pool.unload("tiny")
    assert (state(pool), runner.is_stopped) == (ModelState.DRAINING, False)
    hold.set()
    assert await answer == "Hello there"
    await until(lambda: runner.is_stopped)


async def test_a_load_that_only_an_operator_wanted_is_broken_off() -> None:
    pool = fake_pool([FakeRunner(load_gate=asyncio.Event()), FakeRunner()])
    await pool.load("tiny")
    await until(lambda: state(pool) == ModelState.LOADING)
    assert pool.snapshot().waiting == 0  # no request is
    await pool.unload("tiny")
    await until(lambda: state(pool) == ModelState.UNLOADED)
    assert [event.text for event in pool.snapshot().events] == ["unloaded tiny: an operator ended its load"]
    assert await ask(pool) == "Hello there"  # nothing is held against it


async def test_a_load_that_requests_wait_for_is_broken_off_only_where_it_is_to_go_now() -> None:
    pool = fake_pool([FakeRunner(load_gate=asyncio.Event())])
    waiting = asyncio.ensure_future(ask(pool))
    await until(lambda: state(pool) == ModelState.LOADING)
    with pytest.raises(InvalidValue, match="to reject them"):
        await pool.unload("tiny")
    assert state(pool) == ModelState.LOADING
    await pool.unload("tiny", is_now=True)
    with pytest.raises(ModelLoadFailed, match="an operator ended its load"):
        await waiting
    await until(lambda: state(pool) == ModelState.UNLOADED)


async def test_an_operator_is_not_turned_away_by_those_who_wait() -> None:
    gate = asyncio.Event()
    pool = fake_pool(
        [FakeRunner(load_gate=gate), FakeRunner()], card("a"), card("b"), limit_bytes=2 * GB, queue_limit=1
    )
    waiting = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: pool.snapshot().waiting == 1)
    await pool.load("b")
    await until(lambda: state(pool, "b") == ModelState.READY)
    gate.set()
    await waiting


async def test_asking_for_a_load_again_and_again_is_one_that_waits() -> None:
    hold = asyncio.Event()
    pool = fake_pool([FakeRunner(hold=hold), FakeRunner()], card("a"), card("b"), limit_bytes=GB)
    busy = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: state(pool, "a") == ModelState.BUSY)
    all_pending = {id(await pool.admission.join("b", None)) for _ in range(5)}
    assert len(all_pending) == 1
    shown = pool.snapshot().of("b")
    assert (shown.state, shown.reason) == (ModelState.LOADING, "waiting for memory")
    hold.set()
    await busy
    await until(lambda: state(pool, "b") == ModelState.READY)


async def test_a_load_that_waits_for_room_is_given_up_by_an_unload() -> None:
    hold = asyncio.Event()
    pool = fake_pool([FakeRunner(hold=hold)], card("a"), card("b"), limit_bytes=GB)
    busy = asyncio.ensure_future(ask(pool, "a"))
    await until(lambda: state(pool, "a") == ModelState.BUSY)
    await pool.load("b")
    assert await pool.unload("b")
    assert state(pool, "b") == ModelState.UNLOADED
    hold.set()
    await busy
    assert [event.kind for event in pool.snapshot().events] == ["loaded"]


async def test_a_model_that_is_well_again_wears_no_old_reason() -> None:
    dying = FakeRunner()
    pool = fake_pool([dying, FakeRunner()])
    await ask(pool)
    dying.die("killed by signal 9")
    await until(lambda: state(pool) == ModelState.UNLOADED)
    assert pool.snapshot().of("tiny").reason == "killed by signal 9"
    await until(lambda: pool.snapshot().of("tiny").retry_in_s == 0)
    assert await ask(pool) == "Hello there"
    shown = pool.snapshot().of("tiny")
    assert (shown.state, shown.restarts, shown.reason) == (ModelState.READY, 1, "")

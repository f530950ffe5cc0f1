"""Models that other servers answer for, in the pool: leases and queue as for any other, and no memory."""

import asyncio

import pytest
from msgspec import structs

from inference.core.errors import PoolFull
from inference.core.pool_state import Memory, ModelState
from inference.core.upstream import RemoteModel
from inference.pool import Pool
from inference.pool.residency.answer_growth import Answers
from tests.fakes import GB, FakeRunner, card, fake_pool

REMOTE = card("far", path="", source="upstream", resident_bytes=0, remote=RemoteModel(upstreams=("gpu1",)))


def remote_runner() -> FakeRunner:
    runner = FakeRunner()
    runner.memory = Memory()
    return runner


async def leased(pool: Pool, model: str) -> None:
    """Hold a lease of the model for a moment."""
    async with pool.lease(model, 10, "chat", Answers(1, 50)) as lease:
        async for _ in lease.progress():
            pass
        lease.accept(5, 50)
        lease.note_length(20)


async def test_it_has_a_runner_of_its_own_kind_and_takes_no_memory() -> None:
    runner = remote_runner()
    pool = fake_pool([], REMOTE, start_upstream=lambda: runner, limit_bytes=1)
    await leased(pool, "far")
    assert runner.loads == ["far"]
    assert pool.snapshot().reserved_bytes == 0
    assert pool.snapshot().of("far").state == ModelState.READY
    await pool.close()
    assert runner.is_stopped


async def test_it_is_served_under_memory_pressure_that_refuses_others() -> None:
    pool = fake_pool([FakeRunner()], card("near"), REMOTE, start_upstream=remote_runner, gauge=lambda: 0.0)
    for _ in range(5):
        pool.tick()
    assert pool.snapshot().pressure == "refusing"
    await leased(pool, "far")
    with pytest.raises(PoolFull):
        await leased(pool, "near")
    await pool.close()


async def test_it_is_neither_evicted_for_others_nor_unloaded_when_idle() -> None:
    now = 0.0
    cards = (REMOTE, card("a", resident_bytes=6 * GB), card("b", resident_bytes=6 * GB))
    pool = fake_pool(
        [FakeRunner(), FakeRunner()], *cards, start_upstream=remote_runner, idle_ttl_s=5, clock=lambda: now
    )
    for model in ("far", "a", "b"):
        await leased(pool, model)
    assert pool.snapshot().of("far").state == ModelState.READY
    now = 60.0
    pool.tick()
    await asyncio.sleep(0)
    assert pool.snapshot().of("far").state == ModelState.READY
    assert pool.snapshot().of("b").state != ModelState.READY
    await pool.close()


async def test_its_running_answers_keep_no_paused_one_waiting() -> None:
    """A stalemate of paused local answers must be seen: those of other servers free no memory here."""
    pool = fake_pool([], REMOTE, start_upstream=remote_runner, limit_bytes=1)
    async with pool.lease("far", 10, "chat", Answers(1, 50)) as lease:
        async for _ in lease.progress():
            pass
        assert lease._pending and lease._pending.growth is None
    (resident,) = pool._ledger.residents
    assert resident.is_settled
    await pool.close()


async def test_its_limit_of_requests_is_that_of_its_latest_set_up() -> None:
    cards = [REMOTE]
    pool = fake_pool([], find_card=lambda model: cards[0], start_upstream=remote_runner)
    await leased(pool, "far")
    cards[0] = structs.replace(REMOTE, remote=RemoteModel(upstreams=("gpu1",), most_streams=1))
    first, second = pool.lease("far"), pool.lease("far")
    async with first, second:
        assert pool.snapshot().waiting == 1
    await pool.close()

"""Models of several ranks in the pool: a runner of their own kind, which is started anew after its end."""

from tests.fakes import GB, FakeRunner, card, fake_pool
from tests.pool.test_remote_models import leased

SHARED = card("big", ranks=2, resident_bytes=6 * GB)


async def test_it_has_a_runner_of_its_own_kind_and_leaves_the_spare_worker() -> None:
    ranked = FakeRunner()
    pool = fake_pool([FakeRunner()], SHARED, card("small"), start_ranks=lambda: ranked)
    await leased(pool, "big")
    assert ranked.loads == ["big"]
    assert pool.snapshot().reserved_bytes >= 6 * GB
    await leased(pool, "small")
    await pool.close()
    assert ranked.is_stopped


async def test_after_the_end_of_its_ranks_the_next_request_starts_them_anew() -> None:
    runners = [FakeRunner(), FakeRunner()]
    waiting = iter(runners)
    pool = fake_pool([], SHARED, start_ranks=lambda: next(waiting))
    await leased(pool, "big")
    runners[0].die()
    await leased(pool, "big")
    assert [runner.loads for runner in runners] == [["big"], ["big"]]
    await pool.close()

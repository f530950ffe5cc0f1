"""The spare worker."""

import asyncio
import time

import pytest

from inference.pool.residency import spare_worker
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.spare_worker import SpareWorker
from tests.fakes import GB, FakeRunner
from tests.pool.scene import spin


class Workers:
    """Starts fake runners and counts them."""

    def __init__(self, *, is_kept: bool = True) -> None:
        self.started: list[FakeRunner] = []
        self.ledger = MemoryLedger(8 * GB, is_given=False)
        self.spare = SpareWorker(self.start, self.ledger, BackgroundTasks(), is_kept=is_kept)

    def start(self) -> FakeRunner:
        made = FakeRunner()
        made.device_bytes = 6 * GB
        self.started.append(made)
        return made


async def test_there_is_one_at_most_and_it_reports_the_limit_of_the_device() -> None:
    workers = Workers()
    workers.spare.start()
    workers.spare.start()
    assert (len(workers.started), workers.spare.is_ready) == (1, False)
    await spin()
    assert (workers.spare.is_ready, workers.spare.pid) == (True, 4242)
    assert workers.ledger.limit == 6 * GB


async def test_the_one_that_is_warm_is_handed_over() -> None:
    workers = Workers()
    workers.spare.start()
    await spin()
    assert workers.spare.take() is workers.started[0]
    assert (workers.spare.is_ready, workers.spare.pid) == (False, None)
    assert workers.spare.take() is workers.started[1]


async def test_one_that_ends_is_forgotten() -> None:
    workers = Workers()
    workers.spare.start()
    await spin()
    workers.started[0].die("killed by a test")
    await spin()
    assert (workers.spare.is_ready, workers.spare.pid) == (False, None)


async def test_none_is_kept_where_that_is_switched_off_or_the_pool_closes() -> None:
    workers = Workers(is_kept=False)
    workers.spare.start()
    assert workers.started == []
    kept = Workers()
    kept.spare.start()
    await kept.spare.close()
    assert kept.started[0].is_stopped
    kept.spare.take()
    kept.spare.start()
    assert len(kept.started) == 1


async def test_one_that_ended_by_itself_has_failed_until_another_is_warm() -> None:
    workers = Workers()
    workers.spare.start()
    await spin()
    workers.started[0].die("killed by a test")
    await spin()
    assert workers.spare.has_failed
    workers.spare.start()
    await spin()
    assert not workers.spare.has_failed


async def until_started(workers: Workers, count: int) -> None:
    async with asyncio.timeout(10):
        while len(workers.started) < count:
            await asyncio.sleep(0.001)
    await spin()


async def test_those_that_end_are_replaced_after_pauses_that_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_worker, "_FIRST_PAUSE_S", 0.02)
    workers = Workers()
    began = time.monotonic()
    workers.spare.start()
    for number in range(1, 4):
        await until_started(workers, number)
        workers.started[-1].die("killed by a test")
        await spin()
        assert workers.spare.has_failed and not workers.spare.is_ready
    await until_started(workers, 4)
    assert time.monotonic() - began > 0.02 + 0.04 + 0.08
    assert workers.spare.is_ready and not workers.spare.has_failed


async def test_one_that_ends_or_breaks_while_it_starts_was_never_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spare_worker, "_FIRST_PAUSE_S", 0.001)
    workers = Workers()
    seen = []

    async def ends(runner: FakeRunner) -> bool:
        if len(workers.started) == 1:
            return False
        raise RuntimeError("a thread of its own could not be started")

    with monkeypatch.context() as patch:
        patch.setattr(FakeRunner, "warm_up", ends)
        workers.spare.start()
        for number in (2, 3):
            seen.append(workers.spare.is_ready)
            await until_started(workers, number)
    seen.append(workers.spare.is_ready)
    assert not any(seen) and workers.spare.has_failed
    await until_started(workers, 4)
    assert workers.spare.is_ready and not workers.spare.has_failed


async def test_a_closed_one_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare_worker, "_FIRST_PAUSE_S", 0.5)
    workers = Workers()
    workers.spare.start()
    await spin()
    workers.started[0].die("killed by a test")
    await spin()
    await workers.spare.close()
    await asyncio.sleep(0.6)
    assert len(workers.started) == 1

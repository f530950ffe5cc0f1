"""The Nth start of a worker, or of a process that it starts, fails: real processes under a real pool.

Whatever fails, a request is answered or gets one clear error, the next one is answered, the pool says within
seconds that it can start workers, and no process is left over.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from inference.core.errors import ModelLoadFailed, ServerError
from inference.core.events import Event, Finished, TextDelta
from inference.core.pool_state import ModelState
from inference.pool import Pool, PoolOptions, ProcessRunner
from inference.pool.residency import crash_backoff
from inference.pool.residency.answer_growth import Answers
from inference.pool.workers import watchdog
from tests import start_faults
from tests.fakes import card
from tests.nightly import of_each_kind
from tests.pool.worker_models import OPTIONS, chat
from tests.start_faults import Fault, StartFaults
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.mlx, pytest.mark.asyncio(loop_scope="module")]
GB = 10**9
WORKER, RENDERER = "inference.worker", "inference.worker.rendering.template_process"
_BEFORE: set[int] = set()
FAULTS: list[Fault] = ["exits", "is killed", "hangs"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return never_ends(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(autouse=True)
def is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hanging start is given up after seconds, longer than a start takes on a busy machine."""
    _BEFORE.update(child.pid for child in psutil.Process().children(recursive=True))  # of other tests
    monkeypatch.setattr(watchdog, "_START_S", 20.0)
    monkeypatch.setattr(crash_backoff, "_LOAD_AGAIN_S", 0.1)


@asynccontextmanager
async def site_pool(folder: Path, *, keeps_spare: bool) -> AsyncIterator[Pool]:
    tiny = card("tiny", path=str(folder), context_cap=2048)
    pool = Pool(
        PoolOptions(limit_bytes=4 * GB, queue_limit=9, load_timeout_s=120, keep_spare=keeps_spare),
        find_card=lambda model: tiny,
        start_runner=lambda: ProcessRunner(OPTIONS, stuck_after_s=5),
        gauge=lambda: 1.0,
    )
    await pool.warm_up()
    try:
        yield pool
    finally:
        await pool.close()


async def answer(pool: Pool) -> list[Event]:
    request = chat(max_tokens=5)
    async with pool.lease("tiny", 50, "chat", Answers(1, 5)) as lease:
        async for _ in lease.progress():
            pass
        async with aclosing(lease.runner.submit(request)) as stream:
            return [event async for event in stream]


def is_whole(events: list[Event]) -> bool:
    return isinstance(events[-1], Finished) and any(isinstance(event, TextDelta) for event in events)


async def outcome(pool: Pool) -> ServerError | None:
    """None for an answer, or the one error of the request."""
    try:
        events = await answer(pool)
    except ServerError as error:
        return error
    assert is_whole(events)
    return None


async def becomes(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    until = time.monotonic() + within_s
    while not condition() and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return condition()


async def nothing_is_left(faults: StartFaults) -> bool:
    """Whether no child of this process runs, and none that was started with a fault."""

    def all_have_ended() -> bool:
        children = [one for one in psutil.Process().children(recursive=True) if one.pid not in _BEFORE]
        ours = [child for child in children if "inference.worker" in " ".join(_command(child))]
        return not ours and not any(map(psutil.pid_exists, faults.pids))

    return await becomes(all_have_ended, within_s=10)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("fault", of_each_kind(FAULTS, ["exits"]))
async def test_the_nth_worker_of_a_load_fails(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault, number: int
) -> None:
    faults = start_faults.begin(
        tmp_path, monkeypatch, fault, module=WORKER, imported="mlx.core", first=number
    )
    async with site_pool(folder, keeps_spare=False) as pool:
        if number == 2:
            assert await outcome(pool) is None
            await pool.unload("tiny")
            assert await becomes(lambda: pool.snapshot().of("tiny").state == ModelState.UNLOADED)
        failed = await outcome(pool)
        assert isinstance(failed, ModelLoadFailed) and "its process" in failed.message
        assert pool.snapshot().of("tiny").state != ModelState.READY
        await asyncio.sleep(0.2)
        assert await outcome(pool) is None
        assert not pool.snapshot().has_spare_failed
        assert len(faults.pids) == number + 1
    assert await nothing_is_left(faults)


@pytest.mark.parametrize("fault", of_each_kind(FAULTS, ["is killed"]))
async def test_spares_that_fail_are_replaced_without_a_request(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    faults = start_faults.begin(tmp_path, monkeypatch, fault, module=WORKER, imported="mlx.core", last=2)
    async with site_pool(folder, keeps_spare=True) as pool:
        assert await becomes(lambda: pool.snapshot().has_spare_failed)
        assert await becomes(lambda: pool.snapshot().is_spare_ready, within_s=120)
        assert not pool.snapshot().has_spare_failed and len(faults.pids) == 3
        assert await outcome(pool) is None
    assert await nothing_is_left(faults)


async def test_a_spare_that_the_system_cannot_start_is_tried_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        start_faults.without_program(patch)
        async with site_pool(folder, keeps_spare=True) as pool:
            assert await becomes(lambda: pool.snapshot().has_spare_failed)
            failed = await outcome(pool)
            assert isinstance(failed, ModelLoadFailed) and "could not be started" in failed.message
            patch.undo()
            assert await becomes(lambda: pool.snapshot().is_spare_ready)
            assert not pool.snapshot().has_spare_failed
            assert await outcome(pool) is None
    assert await nothing_is_left(StartFaults(tmp_path, WORKER))


@pytest.mark.parametrize("fault", of_each_kind(["exits", "is killed"], ["exits"]))
async def test_the_first_renderer_fails_and_the_load_uses_the_next_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    faults = start_faults.begin(tmp_path, monkeypatch, fault, module=RENDERER, imported="jinja2")
    async with site_pool(folder, keeps_spare=False) as pool:
        assert await outcome(pool) is None
        assert len(faults.pids) == 2
    assert await nothing_is_left(faults)


@pytest.mark.parametrize("fault", of_each_kind(["exits", "is killed"], ["is killed"]))
async def test_renderers_that_keep_failing_fail_the_load_with_a_reason(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    faults = start_faults.begin(tmp_path, monkeypatch, fault, module=RENDERER, imported="jinja2", last=3)
    async with site_pool(folder, keeps_spare=False) as pool:
        failed = await outcome(pool)
        assert (
            isinstance(failed, ModelLoadFailed)
            and "renders its chat template did not start" in failed.message
        )
        await asyncio.sleep(0.2)
        assert await outcome(pool) is None and len(faults.pids) == 4
    assert await nothing_is_left(faults)


async def test_a_renderer_that_hangs_does_not_outlive_its_worker(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that is stopped nor one that is killed, with or without a model."""
    faults = start_faults.begin(tmp_path, monkeypatch, "hangs", module=RENDERER, imported="jinja2", last=2)
    for number, kills in enumerate((False, True), 1):
        runner = ProcessRunner(OPTIONS)
        assert await runner.warm_up()
        assert await becomes(lambda number=number: len(faults.pids) == number)  # type: ignore[misc]
        if kills:
            psutil.Process(runner.pid).kill()
            await runner.wait_ended()
        await runner.stop()
    assert await nothing_is_left(faults)

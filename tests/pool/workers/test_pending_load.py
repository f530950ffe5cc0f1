import asyncio
import threading

import pytest

from inference.core.cpu_tuning import CpuTuning
from inference.core.errors import ModelLoadFailed
from inference.core.load_progress import LoadProgress
from inference.core.pool_state import Loaded, Memory
from inference.pool.workers.pending_load import PendingLoad

LOADED = Loaded(
    seconds=1.0, memory=Memory(), context_length=9, vocab_size=9, device="cpu", adapter="", stop_tokens=()
)


async def test_a_load_that_begins_later_reports_what_has_been_reached() -> None:
    load, phases = PendingLoad(), list[str]()
    is_measured = threading.Event()

    def tune() -> CpuTuning:
        is_measured.wait(30)
        return CpuTuning(threads=3)

    tuning = asyncio.create_task(load.tuning(tune))
    while load.progress.phase != "calibrating":
        await asyncio.sleep(0.01)
    load.begin(lambda progress: phases.append(progress.phase))
    is_measured.set()
    assert (await tuning).threads == 3
    load.note(LoadProgress(phase="weights", percent=10))
    assert phases == ["calibrating", "starting", "weights"]


async def test_a_tuning_that_is_known_is_no_phase() -> None:
    load, phases = PendingLoad(), list[str]()
    load.begin(lambda progress: phases.append(progress.phase))
    await load.tuning(CpuTuning)
    assert set(phases) == {"starting"}


async def test_a_load_ends_once() -> None:
    load = PendingLoad()
    load.resolve(LOADED)  # none has begun
    end = load.begin(lambda progress: None)
    load.resolve(LOADED)
    load.resolve(ModelLoadFailed("too late"))
    assert await end is LOADED
    failed = load.begin(lambda progress: None)
    load.resolve(ModelLoadFailed("no weights"))
    with pytest.raises(ModelLoadFailed, match="no weights"):
        await failed

"""How models leave memory."""

from typing import Any

from inference.core.pool_state import Memory, ModelState
from inference.pool.residency.background_tasks import BackgroundTasks
from inference.pool.residency.decision_log import DecisionLog
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.records import PoolRecords
from inference.pool.residency.resident import Resident, Stream
from inference.pool.residency.unloader import Unloader
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import spin


class Scene:
    """One resident model that can be unloaded."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(8 * GB)
        self.decisions = DecisionLog(lambda event: None, lambda: 0.0, self.ledger)
        self.changes = 0
        records = PoolRecords(self.ledger, self.decisions, lambda: 100.0)
        self.unloader = Unloader(records, BackgroundTasks(), self.change)
        self.runner = FakeRunner()
        self.resident = Resident(card("a"), self.runner, last_used=40.0, state=ModelState.READY)
        self.ledger.add(self.resident)

    def change(self) -> None:
        self.changes += 1


async def test_an_eviction_frees_the_bytes_and_says_how_long_the_model_was_idle() -> None:
    scene = Scene()
    scene.unloader.evict(scene.resident, "needed 5.0 GB", reason="memory", needed=5 * GB)
    assert scene.resident.state == ModelState.DRAINING
    await spin()
    assert (scene.runner.is_stopped, scene.ledger.of("a"), scene.changes) == (True, None, 1)
    (event,) = scene.decisions.events
    assert (event.kind, event.text) == ("evicted", "evicted a: idle 60 s; needed 5.0 GB")
    assert (event.seconds, event.needed_bytes, event.reason) == (60.0, 5 * GB, "memory")


async def test_a_busy_model_keeps_its_worker_until_its_last_stream_ends() -> None:
    scene = Scene()
    stream = Stream(1, 0.0)
    scene.resident.streams.append(stream)
    scene.unloader.drain(scene.resident)
    await spin()
    assert not scene.runner.is_stopped
    scene.resident.streams.remove(stream)
    scene.unloader.stop_if_drained(scene.resident)
    scene.unloader.stop_if_drained(scene.resident)
    await spin()
    assert (scene.runner.is_stopped, scene.changes) == (True, 1)


async def test_bytes_are_freed_though_the_worker_cannot_be_stopped(monkeypatch: Any) -> None:
    async def fail() -> None:
        raise OSError("no such process")

    scene = Scene()
    monkeypatch.setattr(scene.runner, "stop", fail)
    await scene.unloader.unload(scene.resident)
    assert (scene.ledger.of("a"), scene.changes) == (None, 1)


def test_a_shed_keeps_the_rest_of_the_prefixes() -> None:
    scene = Scene()
    scene.runner.memory = Memory(active=3 * GB, prefix_cache=2 * GB)
    scene.unloader.shed(scene.resident, GB, "needed 1.0 GB")
    assert scene.runner.sheds == [GB]
    assert scene.decisions.events[0].text == "shed 1.0 GB of prefixes of a: needed 1.0 GB"

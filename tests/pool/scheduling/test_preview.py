from typing import Any

from inference.core.model_card import ModelCard
from inference.core.pool_state import Memory
from inference.pool.scheduling.preview import FreedBytes, LoadPreview
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, spin


def sized(name: str, size: int, **changes: bool) -> ModelCard:
    return card(name, resident_bytes=size * GB, **changes)


def preview(outcome: Any, needed: int, free: int, **facts: Any) -> LoadPreview:
    """Of a pool that may use ten gigabytes."""
    return LoadPreview(
        outcome=outcome, needed_bytes=needed * GB, free_bytes=free * GB, limit_bytes=10 * GB, **facts
    )


async def test_a_model_that_fits_evicts_nothing() -> None:
    scene = Scene(sized("a", 4), sized("b", 4))
    assert scene.pool.preview_loads(sized("a", 4)) == [preview("fits", 4, 10)]


async def test_the_evicted_models_are_named_and_a_preview_changes_nothing() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=6 * GB, resident=6 * GB)
    scene = Scene(sized("a", 6), sized("b", 6), given=(runner,))
    await scene.pool.load("a")
    await spin()
    scene.clock.now += 30
    previews = scene.pool.preview_loads(sized("b", 6))
    assert previews == [preview("evicts", 6, 4, evicted=(FreedBytes("a", 6 * GB, 30.0),))]
    assert [model.id for model in scene.pool.snapshot().models] == ["a"]
    await scene.pool.load("b")
    await spin()
    assert [model.id for model in scene.pool.snapshot().models] == ["b"]  # and so it went
    await scene.pool.close()


async def test_prefixes_are_shed_before_a_model_is_evicted() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=6 * GB, resident=6 * GB, prefix_cache=3 * GB)
    scene = Scene(sized("a", 3), given=(runner,))
    await scene.pool.load("a")
    await spin()
    [shed] = scene.pool.preview_loads(sized("b", 5))
    assert shed == preview("evicts", 5, 4, shed=(FreedBytes("a", GB),)) and shed.taken_bytes == 4 * GB
    await scene.pool.close()


async def test_a_refusal_has_its_message() -> None:
    scene = Scene(sized("a", 12), card("odd", problem="no weights"))
    large, odd = scene.pool.preview_loads(sized("a", 12), card("odd", problem="no weights"))
    assert "raise MLX_SERVER_MEMORY_LIMIT" in large.problem
    assert odd.problem == "It cannot be served: no weights"
    assert not large.is_possible and not odd.is_possible


async def test_a_busy_or_pinned_model_is_waited_for() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=6 * GB, resident=6 * GB)
    scene = Scene(sized("a", 6), sized("b", 6), given=(runner,))
    pending = await scene.pool.admission.join("a", 1)
    await spin()
    waits, there = scene.pool.preview_loads(sized("b", 6), sized("a", 6))
    assert waits == preview("waits", 6, 4) and waits.is_possible
    assert there == LoadPreview(outcome="resident", held_bytes=6 * GB) and not there.is_possible
    scene.pool.admission.leave(pending)
    await scene.pool.close()


async def test_models_are_previewed_one_after_another() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=3 * GB, resident=3 * GB)
    scene = Scene(sized("a", 3), given=(runner,))
    await scene.pool.load("a")
    await spin()
    b, c, d = scene.pool.preview_loads(sized("b", 6), sized("c", 4), sized("d", 8))
    assert b == preview("fits", 6, 7)
    assert c == preview("evicts", 4, 1, evicted=(FreedBytes("a", 3 * GB),))
    assert d == preview("waits", 8, 0)
    await scene.pool.close()


async def test_a_system_that_is_short_of_memory_loads_nothing() -> None:
    scene = Scene(sized("a", 1))
    scene.available = 0.01
    for _ in range(60):
        scene.clock.now += 1
        scene.pool.tick()
    assert scene.pool.snapshot().pressure == "refusing"
    [refused] = scene.pool.preview_loads(sized("a", 1))
    assert "The system is short of memory" in refused.problem and not refused.is_possible
    await scene.pool.close()

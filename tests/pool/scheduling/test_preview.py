from inference.core.model_card import ModelCard
from inference.core.pool_state import Memory
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, spin


def sized(name: str, size: int, **changes: bool) -> ModelCard:
    return card(name, resident_bytes=size * GB, **changes)


async def test_what_fits_takes_nothing_from_anybody() -> None:
    scene = Scene(sized("a", 4), sized("b", 4))
    [told] = scene.pool.preview_load(sized("a", 4))
    assert told.words == "It takes 4.0 GB; 10.0 GB of 10.0 GB are free, so nothing has to go."
    assert told.evicted == ()


async def test_the_models_that_go_are_named_and_looking_moves_nothing() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=6 * GB, resident=6 * GB)
    scene = Scene(sized("a", 6), sized("b", 6), given=(runner,))
    await scene.pool.load("a")
    await spin()
    scene.clock.now += 30
    [told] = scene.pool.preview_load(sized("b", 6))
    assert told.evicted == ("a",)
    assert "a is unloaded (6.0 GB, idle for 30 s)" in told.words
    assert [model.id for model in scene.pool.snapshot().models] == ["a"]
    await scene.pool.load("b")
    await spin()
    assert [model.id for model in scene.pool.snapshot().models] == ["b"]  # and so it went
    await scene.pool.close()


async def test_what_cannot_be_is_told_in_the_words_of_the_refusal() -> None:
    scene = Scene(sized("a", 12), card("odd", problem="no weights"))
    large, odd = scene.pool.preview_load(sized("a", 12), card("odd", problem="no weights"))
    assert "raise MLX_SERVER_MEMORY_LIMIT" in large.words
    assert odd.words == "It cannot be served: no weights"
    assert not large.is_possible and not odd.is_possible


async def test_a_busy_or_pinned_model_is_waited_for() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=6 * GB, resident=6 * GB)
    scene = Scene(sized("a", 6), sized("b", 6), given=(runner,))
    waiter = await scene.pool.join("a", 1)
    await spin()
    waits, there = scene.pool.preview_load(sized("b", 6), sized("a", 6))
    assert "it waits until a busy model is idle" in waits.words and waits.is_possible
    assert "in memory already, with 6.0 GB" in there.words and not there.is_possible
    scene.pool.leave(waiter)
    await scene.pool.close()


async def test_models_are_foretold_one_after_another() -> None:
    runner = FakeRunner()
    runner.memory = Memory(active=3 * GB, resident=3 * GB)
    scene = Scene(sized("a", 3), given=(runner,))
    await scene.pool.load("a")
    await spin()
    b, c, d = scene.pool.preview_load(sized("b", 6), sized("c", 4), sized("d", 8))
    assert b.words.startswith("It takes 6.0 GB; 7.0 GB of 10.0 GB are free, so nothing has to go")
    assert c.words.startswith("It takes 4.0 GB; 1.0 GB of 10.0 GB are free, so a is unloaded (3.0 GB")
    assert d.words.startswith("It takes 8.0 GB; 0.0 GB of 10.0 GB are free, and what idles is not enough")
    await scene.pool.close()


async def test_a_system_that_is_short_of_memory_loads_nothing() -> None:
    scene = Scene(sized("a", 1))
    scene.available = 0.01
    for _ in range(60):
        scene.clock.now += 1
        scene.pool.tick()
    assert scene.pool.snapshot().pressure == "refusing"
    [told] = scene.pool.preview_load(sized("a", 1))
    assert "The system is short of memory" in told.words and not told.is_possible
    await scene.pool.close()

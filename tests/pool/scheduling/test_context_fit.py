"""The longest context that fits, beside what a pool of ten gigabytes holds."""

from typing import Any

from inference.core.model_card import ModelCard
from inference.core.pool_state import ContextFit, Memory
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, spin

MB = 10**6


def sized(name: str, size: int, **changes: Any) -> ModelCard:
    """A model whose tokens take a megabyte each."""
    usual = {"resident_bytes": size * GB, "kv_bytes_per_token": MB, "context_length": 100_000}
    return card(name, **(usual | changes))


def runner(held: int, **figures: int) -> FakeRunner:
    found = FakeRunner()
    found.memory = Memory(active=held * GB, resident=held * GB, **figures)
    return found


def fit(now: int, alone: int) -> ContextFit:
    return ContextFit(now=now, alone=alone)


async def test_beside_an_empty_pool_all_but_the_weights_is_for_the_context() -> None:
    scene = Scene(sized("a", 4))
    assert scene.pool.context_fits(
        sized("a", 4), sized("b", 4, prefill_bytes=GB), sized("c", 4, context_length=2048)
    ) == [fit(6000, 6000), fit(5000, 5000), fit(2048, 2048)]


async def test_a_model_that_is_too_large_has_none() -> None:
    assert Scene().pool.context_fits(sized("a", 11), sized("b", 10)) == [fit(0, 0), fit(0, 0)]


async def test_a_model_without_kv_caches_has_its_own() -> None:
    vectors = sized("a", 4, kv_bytes_per_token=0, context_length=512)
    assert Scene().pool.context_fits(vectors) == [fit(512, 512)]


async def test_another_model_takes_from_now_only_and_a_pinned_one_from_both() -> None:
    scene = Scene(sized("a", 3), sized("p", 2, is_pinned=True), given=(runner(3), runner(2)))
    await scene.pool.load("a")
    await spin()
    assert scene.pool.context_fits(sized("b", 4)) == [fit(3000, 6000)]
    await scene.pool.load("p")
    await spin()
    assert scene.pool.context_fits(sized("b", 4), sized("c", 6)) == [fit(1000, 4000), fit(0, 2000)]
    await scene.pool.close()


async def test_prefixes_that_can_be_shed_are_free() -> None:
    scene = Scene(sized("a", 3), given=(runner(6, prefix_cache=3 * GB),))
    await scene.pool.load("a")
    await spin()
    assert scene.pool.context_fits(sized("b", 4)) == [fit(3000, 6000)]
    await scene.pool.close()


async def test_a_model_in_memory_has_what_its_worker_and_its_requests_leave() -> None:
    scene = Scene(sized("a", 3), given=(runner(5),))
    pending = await scene.ask("a", 2000)
    assert scene.pool.context_fits(sized("a", 3), sized("a:terse", 3, base="a")) == [fit(3000, 5000)] * 2
    await scene.leave(pending)
    await scene.pool.close()


async def test_nothing_more_is_loaded_while_the_system_is_short_of_memory() -> None:
    scene = Scene(sized("a", 3))
    await scene.pool.load("a")
    await spin()
    scene.available = 0.01
    await scene.pass_s(2)
    assert scene.pool.context_fits(sized("b", 4)) == [fit(0, 6000)]
    await scene.pool.close()

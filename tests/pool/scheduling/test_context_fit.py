"""The context of a model, and how much of it fits, beside what a pool of ten gigabytes holds."""

from typing import Any

import pytest

from inference.core.errors import AllPinned, ModelTooLarge, PoolFull
from inference.core.model_card import ModelCard
from inference.core.pool_state import Memory
from inference.pool.residency.memory_ledger import MemoryLedger
from inference.pool.residency.memory_pressure import MemoryPressure
from inference.pool.residency.resident import Resident
from inference.pool.scheduling.context_fit import ContextFits
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


def figures(scene: Scene, *cards: ModelCard) -> list[tuple[int, int]]:
    """What fits now, and alone."""
    return [(fit.now, fit.alone) for fit in scene.pool.context_fits(*cards)]


def context(scene: Scene, card: ModelCard) -> tuple[int, str]:
    """The context that the model has, and what limits it."""
    (fit,) = scene.pool.context_fits(card)
    assert scene.pool.fitted(card)[0].context_length == fit.context
    return fit.context, fit.limited_by


async def test_beside_an_empty_pool_all_but_the_weights_is_for_the_context() -> None:
    scene = Scene(sized("a", 4))
    assert figures(
        scene, sized("a", 4), sized("b", 4, prefill_bytes=GB), sized("c", 4, context_length=2048)
    ) == [(6000, 6000), (5000, 5000), (2048, 2048)]


class Counting(MemoryLedger):
    """It counts how often somebody looks at what is in memory."""

    looks = 0

    @property
    def residents(self) -> list[Resident]:
        self.looks += 1
        return super().residents


def test_a_round_looks_at_the_memory_once_for_each_model() -> None:
    ledger = Counting(10 * GB)
    fitted = ContextFits(ledger, MemoryPressure()).of_round()
    capped = sized("b", 4, context_cap=100)
    cards = [sized("a", 4), sized("b", 4), capped]
    assert [fitted(one).context_length for one in cards] == [6000, 6000, 100]
    looks = ledger.looks
    assert [fitted(one).context_length for one in cards * 50] == [6000, 6000, 100] * 50
    assert ledger.looks == looks > 0


async def test_a_model_that_is_too_large_has_none() -> None:
    assert figures(Scene(), sized("a", 11), sized("b", 10)) == [(0, 0), (0, 0)]


async def test_a_model_without_kv_caches_has_its_own() -> None:
    vectors = sized("a", 4, kv_bytes_per_token=0, context_length=512)
    assert figures(Scene(), vectors) == [(512, 512)]


async def test_another_model_takes_from_now_only_and_a_pinned_one_from_both() -> None:
    scene = Scene(sized("a", 3), sized("p", 2, is_pinned=True), given=(runner(3), runner(2)))
    await scene.pool.load("a")
    await spin()
    assert figures(scene, sized("b", 4)) == [(3000, 6000)]
    await scene.pool.load("p")
    await spin()
    assert figures(scene, sized("b", 4), sized("c", 6)) == [(1000, 4000), (0, 2000)]
    await scene.pool.close()


async def test_prefixes_that_can_be_shed_are_free() -> None:
    scene = Scene(sized("a", 3), given=(runner(6, prefix_cache=3 * GB),))
    await scene.pool.load("a")
    await spin()
    assert figures(scene, sized("b", 4)) == [(3000, 6000)]
    await scene.pool.close()


async def test_a_model_in_memory_has_what_its_worker_and_its_requests_leave() -> None:
    scene = Scene(sized("a", 3), given=(runner(5),))
    pending = await scene.ask("a", 2000)
    assert figures(scene, sized("a", 3), sized("a:terse", 3, base="a")) == [(3000, 5000)] * 2
    await scene.leave(pending)
    await scene.pool.close()


async def test_nothing_more_is_loaded_while_the_system_is_short_of_memory() -> None:
    scene = Scene(sized("a", 3))
    await scene.pool.load("a")
    await spin()
    scene.available = 0.01
    await scene.pass_s(2)
    assert figures(scene, sized("b", 4)) == [(0, 6000)]
    await scene.pool.close()


# What is chosen where nothing was chosen.


async def test_without_a_choice_a_model_has_the_longest_context_that_fits_alone() -> None:
    scene = Scene(sized("a", 3), given=(runner(3),))
    await scene.pool.load("a")
    await spin()
    assert context(scene, sized("b", 4)) == (6000, "memory")  # "a" makes room for it
    assert context(scene, sized("b", 4, context_length=2048)) == (2048, "model")
    await scene.pool.close()


async def test_a_chosen_context_stays_as_chosen() -> None:
    chosen = {"own_context": 100_000, "context_cap": 8000, "context_length": 8000}
    assert context(Scene(), sized("b", 4, **chosen)) == (8000, "operator")
    assert figures(Scene(), sized("b", 4, **chosen)) == [(6000, 6000)]
    other = {"own_context": 100_000, "context_length": 100_000}  # something else was chosen
    assert context(Scene(), sized("b", 4, **other)) == (6000, "memory")


async def test_a_load_fixes_the_context() -> None:
    """Neither a model that is pinned later nor one that goes changes what a loaded model may read."""
    a = sized("a", 3)
    scene = Scene(a, sized("p", 2, is_pinned=True), sized("q", 1, is_pinned=True), given=(runner(2),))
    await scene.pool.load("p")
    await spin()
    assert context(scene, a) == (5000, "memory")
    pending = await scene.ask("a", 100)
    assert scene.runner_of("a").contexts == [5000]
    await scene.pool.load("q")
    await spin()
    assert context(scene, a) == (5000, "memory")
    assert figures(scene, a) == [(3900, 4000)]
    await scene.leave(pending)
    await scene.pool.unload("a")
    await spin()
    assert context(scene, a) == (4000, "memory")
    await scene.pool.close()


async def test_a_choice_counts_from_the_next_load() -> None:
    scene = Scene(sized("a", 3))
    await scene.pool.load("a")
    await spin()
    assert context(scene, sized("a", 3, own_context=100_000, context_cap=100, context_length=100)) == (
        7000,
        "memory",
    )
    await scene.pool.close()


async def test_an_estimate_beyond_the_context_is_no_refusal() -> None:
    """Its worker counts the tokens; a request reserves no more than the context that it will have."""
    scene = Scene(sized("a", 4), given=(runner(4),))
    pending = await scene.ask("a", 50_000)
    assert pending.resident and pending.held_tokens == 6000
    await scene.leave(pending)
    await scene.pool.close()


async def test_a_refusal_for_memory_tells_the_figures_and_the_reason() -> None:
    chosen = {"own_context": 100_000, "context_cap": 8000, "context_length": 8000}
    scene = Scene(sized("a", 4, **chosen), sized("p", 9, is_pinned=True), sized("b", 4), given=(runner(9),))
    with pytest.raises(ModelTooLarge) as refused:
        await scene.ask("a", 7000)
    assert refused.value.message.endswith(
        "pick a smaller model. The context of this model is 8000 tokens here: an operator chose that, and "
        "its own is 100000. Memory is free for 6000 of them now."
    )
    await scene.pool.load("p")
    await spin()
    with pytest.raises(AllPinned, match="even if only pinned models stay loaded"):
        await scene.ask("b", 10)
    await scene.pool.close()


async def test_a_refusal_while_the_system_is_short_of_memory_tells_them_too() -> None:
    scene = Scene(sized("a", 3), sized("b", 4))
    await scene.use("a")
    scene.available = 0.01
    await scene.pass_s(2)
    with pytest.raises(PoolFull, match="for 0 of them now, and for 6000 if only pinned models stay loaded"):
        await scene.ask("b", 10)
    await scene.pool.close()

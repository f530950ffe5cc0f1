"""Memory for work beside the models: it is taken only where it is free, and models wait for it."""

import asyncio

import pytest

from inference.core.errors import ModelTooLarge, PoolFull
from tests.fakes import GB, card
from tests.pool.scene import Scene, is_granted


async def test_a_claim_takes_free_memory_until_it_ends() -> None:
    scene = Scene(card("a"), limit_bytes=4 * GB)
    await scene.pool.claim("work", 3 * GB)
    snapshot = scene.pool.snapshot()
    assert (snapshot.reserved_bytes, snapshot.claimed_bytes) == (3 * GB, 3 * GB)
    await scene.pool.end_claim("work")
    await scene.pool.end_claim("work")
    assert scene.pool.snapshot().reserved_bytes == 0


async def test_it_evicts_nothing_and_says_what_has_to_go() -> None:
    scene = Scene(card("a"), card("b"), limit_bytes=3 * GB)
    await scene.leave(await scene.ask("a"), await scene.ask("b"))
    with pytest.raises(PoolFull) as refused:
        await scene.pool.claim("work", 2 * GB)
    assert str(refused.value) == (
        "work needs 2.0 GB of memory, and 1.0 GB of 3.0 GB are free. Unload a (1.0 GB) first."
    )
    assert {model.id for model in scene.pool.snapshot().models} == {"a", "b"}
    assert "Unload a (1.0 GB) and b (1.0 GB) first." in str(scene.pool.claim_error("work", 3 * GB))


async def test_what_never_fits_is_refused_with_the_limit() -> None:
    scene = Scene(card("a"), limit_bytes=3 * GB)
    with pytest.raises(ModelTooLarge, match=r"needs 4\.0 GB of memory; the limit is 3\.0 GB"):
        await scene.pool.claim("work", 4 * GB)
    await scene.pool.claim("work", 2 * GB)
    assert "The rest is already claimed" in str(scene.pool.claim_error("other", 2 * GB))


async def test_a_model_waits_for_the_end_of_a_claim() -> None:
    scene = Scene(card("a", resident_bytes=2 * GB), limit_bytes=3 * GB)
    await scene.pool.claim("work", 2 * GB)
    pending = await scene.ask("a")
    await asyncio.sleep(0)
    assert not is_granted(pending) and not pending.granted.done()
    await scene.pool.end_claim("work")
    await asyncio.sleep(0.05)
    assert is_granted(pending)
    await scene.leave(pending)


async def test_a_model_beside_a_claim_is_not_evicted_for_it() -> None:
    scene = Scene(card("a"), card("b", resident_bytes=2 * GB), limit_bytes=4 * GB)
    await scene.leave(await scene.ask("a"))
    await scene.pool.claim("work", 3 * GB)
    pending = await scene.ask("b")  # not even without a
    assert not pending.granted.done()
    assert scene.pool.snapshot().of("a").state.is_in_memory
    await scene.leave(pending)

"""Leases of `model:adapter`: the model is resident once, its adapters count from their first lease."""

from typing import Any

import pytest

from inference.core.errors import ModelLoadFailed, ModelNotFound, ModelTooLarge, ServerError
from inference.core.model_card import LoraCard, ModelCard
from inference.core.pool_state import Memory
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene

PIRATE = LoraCard(name="pirate", path="/models/tiny/adapters/pirate", version="1", resident_bytes=GB)
SQL = LoraCard(name="sql", path="/models/tiny/adapters/sql", version="1", resident_bytes=2 * GB)
BROKEN = LoraCard(name="broken", path="/models/tiny/adapters/broken", problem="it has no weights")


def adapted(**changes: Any) -> ModelCard:
    return card(loras=(PIRATE, SQL, BROKEN), **changes)


async def test_a_model_and_its_adapters_are_resident_once() -> None:
    scene = Scene(adapted())
    leases = [await scene.ask(name) for name in ("tiny:pirate", "tiny", "tiny:sql", "tiny:pirate")]
    assert len(scene.runners) == 1
    (model,) = scene.pool.snapshot().models
    assert (model.id, model.leases) == ("tiny", 4)
    assert [lease.lora.name if lease.lora else "" for lease in leases] == ["pirate", "", "sql", "pirate"]


async def test_an_adapter_counts_from_its_first_lease_until_the_model_is_unloaded() -> None:
    scene = Scene(adapted())
    await scene.use("tiny")
    assert scene.pool.snapshot().reserved_bytes == GB
    await scene.use("tiny:pirate")
    assert scene.pool.snapshot().reserved_bytes == 2 * GB
    await scene.use("tiny:pirate")
    await scene.use("tiny:sql")
    assert scene.pool.snapshot().reserved_bytes == 4 * GB
    await scene.pool.unload("tiny")
    await scene.pass_s(1)
    await scene.use("tiny")
    assert scene.pool.snapshot().reserved_bytes == GB


async def test_an_idle_model_is_evicted_for_an_adapter() -> None:
    scene = Scene(adapted(), card("other"), limit_bytes=4 * GB)
    await scene.use("other")
    await scene.use("tiny:pirate")
    await scene.ask("tiny:pirate")
    await scene.use("tiny:sql")
    assert [model.id for model in scene.pool.snapshot().models if model.reserved_bytes] == ["tiny"]


async def test_adapters_without_streams_are_dropped_before_anything_else_goes() -> None:
    scene = Scene(adapted(), card("other"), limit_bytes=4 * GB)
    await scene.use("other")
    await scene.use("tiny:pirate")
    sql = await scene.ask("tiny:sql")
    await scene.pass_s(1)
    assert sql.resident and scene.runners[1].dropped == [("pirate",)]
    assert scene.pool.snapshot().reserved_bytes == 4 * GB
    assert "dropped adapters of tiny (pirate)" in scene.pool.snapshot().events[-1].text


async def test_an_adapter_with_a_stream_is_never_dropped() -> None:
    scene = Scene(adapted(), limit_bytes=3 * GB)
    pirate = await scene.ask("tiny:pirate")
    sql = await scene.ask("tiny:sql")
    await scene.pass_s(1)
    assert not sql.resident and not scene.runners[0].dropped
    await scene.leave(pirate)
    await scene.pass_s(1)
    assert sql.resident and scene.runners[0].dropped == [("pirate",)]


async def test_a_long_prompt_has_idle_adapters_dropped() -> None:
    tight = adapted(kv_bytes_per_token=10**6)
    scene = Scene(tight, limit_bytes=3 * GB)
    await scene.use("tiny:pirate")
    scene.runners[0].report(Memory(active=2 * GB))
    long = await scene.ask("tiny", 1500)
    scene.runners[0].report(Memory(active=GB))
    await scene.pass_s(1)
    assert long.resident and scene.runners[0].dropped == [("pirate",)]


async def test_the_adapter_that_is_wanted_is_not_dropped_for_itself() -> None:
    tight = adapted(kv_bytes_per_token=10**6)
    scene = Scene(tight, limit_bytes=4 * GB)
    await scene.use("tiny:pirate")
    await scene.use("tiny:sql")
    long = await scene.ask("tiny:sql", 900)
    await scene.pass_s(1)
    assert long.resident and scene.runners[0].dropped == [("pirate",)]


async def test_a_load_of_another_model_has_adapters_dropped() -> None:
    scene = Scene(adapted(is_pinned=True), card("other"), limit_bytes=3 * GB)
    await scene.use("tiny:sql")
    other = await scene.ask("other")
    await scene.pass_s(1)
    assert other.resident and scene.runners[0].dropped == [("sql",)]


async def test_a_load_for_an_adapter_reserves_both() -> None:
    scene = Scene(adapted(), limit_bytes=2 * GB)
    assert (await scene.ask("tiny:pirate")).resident
    with pytest.raises(ModelTooLarge, match="needs 3.0 GB"):
        await Scene(adapted(), limit_bytes=2 * GB).ask("tiny:sql")


async def test_a_broken_adapter_is_refused_by_name() -> None:
    scene = Scene(adapted())
    with pytest.raises(ModelLoadFailed) as raised:
        await scene.ask("tiny:broken")
    assert raised.value.message == "The adapter 'broken' of 'tiny' cannot be used: it has no weights"
    assert (await scene.ask("tiny")).resident and (await scene.ask("tiny:sql")).resident


async def test_an_unknown_adapter_is_not_found_and_the_others_are_named() -> None:
    scene = Scene(adapted(), card("bare"), card("off", loras=(PIRATE,), is_enabled=False, problem="off"))
    with pytest.raises(ModelNotFound) as raised:
        await scene.ask("tiny:missing")
    assert raised.value.message == (
        "The model 'tiny' has no adapter or profile 'missing'; it has: 'pirate', 'sql', 'broken'."
    )
    for name in ("bare:missing", "none:missing", "off:missing", ":", "tiny::pirate"):
        with pytest.raises(ModelNotFound, match="There is no model"):
            await scene.ask(name)


async def test_an_operators_load_of_an_adapter_is_one_of_its_model() -> None:
    scene = Scene(adapted(), given=(FakeRunner(),))
    await scene.pool.load("tiny:pirate")
    await scene.pass_s(1)
    assert scene.runners[0].loads == ["tiny"]
    assert scene.pool.snapshot().reserved_bytes == GB


async def test_an_adapter_of_a_model_that_is_switched_off_is_not_there() -> None:
    scene = Scene(adapted(is_enabled=False, problem="an operator has switched it off"))
    with pytest.raises(ServerError, match="switched off"):
        await scene.ask("tiny:pirate")

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import Config
from inference.core.errors import InvalidValue, ModelLoadFailed, ModelNotFound, StoppedByOperator, Unavailable
from inference.core.events import Event
from inference.core.pool_state import ModelState, ResidentModel
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.models import ServedModel
from inference.pool import Pool
from inference.repository.catalog import Catalog
from inference.serving import control, generation, runtime
from inference.storage.operator_choices import Choices
from tests.fakes import FakeCatalog, FakeRunner, card, fake_pool, serving
from tests.tiny import make_tiny_model

Act = Callable[[str], Awaitable[ResidentModel]]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pool]:
    """A pool of fake runners over a real catalog, whose choices are the database's."""
    folder = tmp_path_factory.mktemp("models")
    make_tiny_model(folder / "org" / "tiny")
    catalog = Catalog(folder, use_hub_cache=False, choices=Choices())
    pool = fake_pool([FakeRunner(), FakeRunner()], find_card=catalog.find)
    with runtime.use_pool(pool, models=catalog):
        yield pool
        await pool.close()


async def reach(pool: Pool, state: ModelState) -> None:
    async with asyncio.timeout(5):
        while pool.snapshot().of("org/tiny").state != state:
            await asyncio.sleep(0.01)


async def test_load_begins_and_unload_ends(pool: Pool) -> None:
    assert (await control.load("org/tiny")).state == ModelState.LOADING
    await reach(pool, ModelState.READY)
    await control.unload("org/tiny")
    await reach(pool, ModelState.UNLOADED)


async def test_an_alias_will_do(pool: Pool) -> None:
    await ServedModel.objects.acreate(name="org/tiny", aliases=["gpt-4o"])
    assert (await control.load("gpt-4o")).id == "org/tiny"
    await reach(pool, ModelState.READY)
    assert (await control.unload("gpt-4o")).id == "org/tiny"


async def test_a_model_is_loaded_anew(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    await control.reload("org/tiny")
    async with asyncio.timeout(5):
        while sum(event.kind == "loaded" for event in pool.snapshot().events) < 2:
            await asyncio.sleep(0.01)
    assert [event.kind for event in pool.snapshot().events] == ["loaded", "unloaded", "loaded"]


async def test_one_that_still_loads_is_loaded_anew() -> None:
    pool = fake_pool([FakeRunner(load_gate=asyncio.Event()), FakeRunner()])
    with runtime.use_pool(pool, models=FakeCatalog(card())):  # type: ignore[arg-type]
        await control.load("tiny")
        await control.reload("tiny")
        async with asyncio.timeout(5):
            while pool.snapshot().of("tiny").state != ModelState.READY:
                await asyncio.sleep(0.01)
        assert [event.kind for event in pool.snapshot().events] == ["unloaded", "loaded"]
        await pool.close()


async def test_one_that_could_not_be_loaded_again_stays(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    found = await asyncio.to_thread(runtime.catalog().find, "org/tiny")
    assert found
    weights = Path(found.path) / "model.safetensors"
    weights.rename(weights.with_suffix(".away"))
    runtime.catalog().forget()
    with pytest.raises(ModelLoadFailed, match="it has no weights"):
        await control.reload("org/tiny")
    assert pool.snapshot().of("org/tiny").state == ModelState.READY


async def test_a_model_that_is_switched_off_goes_and_comes_no_more(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    await ServedModel.objects.acreate(name="org/tiny", is_enabled=False)
    await control.refresh("org/tiny")
    await reach(pool, ModelState.UNLOADED)
    with pytest.raises(ModelNotFound, match="is switched off on this server"):
        await control.load("org/tiny")
    await ServedModel.objects.filter(name="org/tiny").aupdate(is_enabled=True)
    await control.refresh("org/tiny")
    assert (await control.load("org/tiny")).state == ModelState.LOADING
    await reach(pool, ModelState.READY)


async def test_a_load_of_a_model_that_is_switched_off_ends(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "org" / "tiny")
    catalog = Catalog(tmp_path, use_hub_cache=False, choices=Choices())
    pool = fake_pool([FakeRunner(load_gate=asyncio.Event())], find_card=catalog.find)
    with runtime.use_pool(pool, models=catalog):
        waiting = await pool.admission.join("org/tiny", 1)
        await reach(pool, ModelState.LOADING)
        await ServedModel.objects.acreate(name="org/tiny", is_enabled=False)
        await control.refresh("org/tiny")
        with pytest.raises(ModelNotFound, match="switched off"):
            await waiting.granted
        await reach(pool, ModelState.UNLOADED)
        await pool.close()


async def test_a_pending_request_has_what_was_chosen_since(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    using = await pool.admission.join("org/tiny", 1)
    await pool.unload("org/tiny")
    waiting = await pool.admission.join("org/tiny", 1)
    await ServedModel.objects.acreate(name="org/tiny", adapter="default", context_cap=16)
    await control.refresh("org/tiny")
    pool.admission.leave(using)
    resident = await waiting.granted
    assert (resident.card.adapter, resident.card.context_length) == ("default", 16)


async def test_a_pending_request_for_a_model_that_is_switched_off_fails(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    using = await pool.admission.join("org/tiny", 1)
    await pool.unload("org/tiny")  # once the one above has ended
    waiting = await pool.admission.join("org/tiny", 1)
    await ServedModel.objects.acreate(name="org/tiny", is_enabled=False)
    await control.refresh("org/tiny")
    with pytest.raises(ModelNotFound, match="switched off"):
        await waiting.granted
    pool.admission.leave(using)
    await reach(pool, ModelState.UNLOADED)


async def test_answers_are_broken_off_where_it_is_to_go_now() -> None:
    runner = FakeRunner(["word "] * 1000, delay_s=0.01)
    with serving(runner) as pool:
        asked = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
        received: list[Event] = []

        async def listen() -> None:
            async with aclosing(generation.stream(asked, Principal(kind="local"))) as events:
                received.extend([event async for event in events])

        listening = asyncio.ensure_future(listen())
        while pool.snapshot().of("tiny").leases == 0:
            await asyncio.sleep(0.01)
        await control.unload_now("tiny")
        with pytest.raises(StoppedByOperator):
            await listening
        async with asyncio.timeout(5):
            while pool.snapshot().models:
                await asyncio.sleep(0.01)
        await pool.close()


async def test_files_go_when_nobody_uses_them(pool: Pool, settings: Any) -> None:
    found = await asyncio.to_thread(runtime.catalog().find, "org/tiny")
    assert found
    settings.CONFIG = Config(models_dir=Path(found.path).parent.parent)
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    with pytest.raises(InvalidValue, match="unload it first"):
        await control.remove("org/tiny")
    await control.unload("org/tiny")
    await reach(pool, ModelState.UNLOADED)
    await control.remove("org/tiny")
    assert await asyncio.to_thread(runtime.catalog().find, "org/tiny") is None


async def test_a_name_that_means_another_model_by_now_deletes_nothing(pool: Pool, settings: Any) -> None:
    found = await asyncio.to_thread(runtime.catalog().find, "org/tiny")
    assert found
    settings.CONFIG = Config(models_dir=Path(found.path).parent.parent)
    await ServedModel.objects.acreate(name="org/tiny", aliases=["gone"])
    runtime.catalog().forget()
    assert await asyncio.to_thread(runtime.catalog().find, "gone")
    with pytest.raises(ModelNotFound, match="The folder of gone no longer exists"):
        await control.remove("gone")
    assert (Path(found.path) / "model.safetensors").exists()


async def test_files_that_cannot_be_deleted_are_reported(pool: Pool, settings: Any) -> None:
    found = await asyncio.to_thread(runtime.catalog().find, "org/tiny")
    assert found
    settings.CONFIG = Config(models_dir=Path(found.path).parent.parent)
    (Path(found.path).parent / ".removed-tiny").write_text("in the way")
    with pytest.raises(
        Unavailable, match=f"Not all files of org/tiny could be deleted: .* Look at {found.path}"
    ):
        await control.remove("org/tiny")
    assert await asyncio.to_thread(runtime.catalog().find, "org/tiny")


async def test_a_pin_counts_at_once_and_stays(pool: Pool) -> None:
    await control.load("org/tiny")
    await reach(pool, ModelState.READY)
    assert (await control.pin("org/tiny")).is_pinned
    assert (await ServedModel.objects.aget(name="org/tiny")).is_pinned
    found = await asyncio.to_thread(runtime.catalog().find, "org/tiny")
    assert found and found.is_pinned


async def test_unpin_undoes_it_and_leaves_the_other_choices(pool: Pool) -> None:
    await ServedModel.objects.acreate(name="org/tiny", is_pinned=True, idle_ttl_s=60, aliases=["x"])
    await control.load("org/tiny")
    assert not (await control.unpin("org/tiny")).is_pinned
    row = await ServedModel.objects.aget(name="org/tiny")
    assert (row.is_pinned, row.idle_ttl_s, row.aliases) == (False, 60, ["x"])


@pytest.mark.parametrize("act", [control.load, control.unload, control.pin, control.unpin])
async def test_an_unknown_model_is_not_found(pool: Pool, act: Act) -> None:
    with pytest.raises(ModelNotFound):
        await act("none")
    assert not await ServedModel.objects.aexists()


async def test_what_was_chosen_for_a_model_that_is_gone_can_be_forgotten(pool: Pool) -> None:
    for name in ("org/tiny", "gone"):
        await ServedModel.objects.acreate(name=name, aliases=[f"of-{name[-4:]}"])
    with pytest.raises(InvalidValue, match="The folder of org/tiny exists"):
        await control.forget("org/tiny")
    await control.forget("gone")
    assert [model.name async for model in ServedModel.objects.all()] == ["org/tiny"]


async def test_a_model_is_forgotten_although_its_name_is_anothers_alias_by_now(pool: Pool) -> None:
    await ServedModel.objects.acreate(name="gone", is_pinned=True)
    await ServedModel.objects.acreate(name="org/tiny", aliases=["gone"])
    await control.forget("gone")
    assert [model.name async for model in ServedModel.objects.all()] == ["org/tiny"]

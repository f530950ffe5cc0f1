"""What time and memory pressure bring: idle models expire, caches shrink, models go one by one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from inference.core.errors import PoolFull
from inference.core.pool_state import ModelState, PoolEvent
from tests.each import each
from tests.fakes import GB, card
from tests.pool.scene import Scene, is_granted

A, B = card("a"), card("b")


@each(
    ("card_s", "site_s", "is_gone"),
    [(None, 60, True), (None, -1, False), (60, -1, True), (-1, 60, False), (None, 300, False)],
)
async def test_an_idle_model_expires_after_its_cards_time_or_else_the_sites(
    card_s: float | None, site_s: float, is_gone: bool
) -> None:
    scene = Scene(card("a", idle_ttl_s=card_s), idle_ttl_s=site_s)
    await scene.use("a")
    await scene.pass_s(59)
    assert scene.state("a") == ModelState.READY
    await scene.pass_s(2)
    assert (scene.state("a") == ModelState.UNLOADED) == is_gone
    assert scene.texts_of("expired") == (["expired a: idle 61 s; its time is 60 s"] if is_gone else [])
    assert scene.reasons_of("expired") == (["idle"] if is_gone else [])


async def test_idle_time_counts_from_the_last_release() -> None:
    scene = Scene(A, idle_ttl_s=60)
    first, second = await scene.ask("a"), await scene.ask("a")
    await scene.leave(first)
    await scene.pass_s(100)
    await scene.leave(second)
    await scene.pass_s(59)
    assert scene.state("a") == ModelState.READY


async def test_a_pinned_model_does_not_expire() -> None:
    scene = Scene(card("a", is_pinned=True), idle_ttl_s=60)
    await scene.use("a")
    await scene.pass_s(600)
    assert scene.state("a") == ModelState.READY


async def cached(scene: Scene, *models: str) -> None:
    for model in models:
        await scene.report(model, active=2 * GB, prefix_cache=GB)


async def test_shedding_empties_the_caches_of_idle_models_then_those_of_all() -> None:
    scene = Scene(A, B)
    busy = await scene.ask("a")
    await scene.use("b")
    await cached(scene, "a", "b")
    scene.available = 0.11
    await scene.pass_s(1)
    assert (scene.runner_of("a").sheds, scene.runner_of("b").sheds) == ([], [0])
    await scene.pass_s(1)
    assert scene.runner_of("a").sheds == [0]
    assert scene.resident == {"a", "b"}
    await scene.leave(busy)


async def test_evicting_sends_one_idle_model_away_at_a_time() -> None:
    scene = Scene(A, B, card("p", is_pinned=True), card("busy"), min_residency_s=60)
    for model in ("a", "b", "p"):
        await scene.use(model)
        await scene.pass_s(1)
    busy = await scene.ask("busy")
    scene.available = 0.07
    sizes = []
    for _ in range(4):
        await scene.pass_s(1)
        sizes.append(scene.resident)
    assert sizes == [{"b", "p", "busy"}, {"p", "busy"}, {"p", "busy"}, {"p", "busy"}]
    await scene.leave(busy)


async def test_refusing_turns_away_what_needs_a_load_and_serves_what_does_not() -> None:
    scene = Scene(card("a", is_pinned=True), B)
    await scene.use("a")
    scene.available = 0.03
    await scene.pass_s(1)
    assert is_granted(await scene.ask("a"))
    with pytest.raises(PoolFull, match="short of memory") as answer:
        await scene.ask("b")
    assert answer.value.retry_after
    assert scene.pool.snapshot().pressure == "refusing"


async def test_a_change_of_pressure_is_reported_with_its_number() -> None:
    scene = Scene(A)
    scene.available = 0.07
    await scene.pass_s(1)
    await scene.pass_s(1)
    scene.available = 0.5
    await scene.pass_s(1)
    first, second = scene.texts_of("pressure")
    assert "is evicting, was normal: 7% of the system's memory" in first
    assert "is normal, was evicting" in second


async def test_pinned_models_are_loaded_one_after_another_at_the_start() -> None:
    pins = [card("a", is_pinned=True), card("b", is_pinned=True)]
    scene = Scene(*pins, find_pinned=lambda: ["a", "gone", "b"])
    await scene.pool.warm_up()
    async with asyncio.timeout(5):
        while len(scene.texts_of("loaded")) < 2:
            await asyncio.sleep(0.005)  # the catalog is asked in a thread
    assert scene.resident == {"a", "b"}
    await scene.pool.close()


class Chosen:
    """A catalog of one model whose choices change, and which has an alias."""

    def __init__(self) -> None:
        self.choices: dict[str, Any] = {}

    def find(self, model_id: str) -> Any:
        return card("a", **self.choices) if model_id in {"a", "alias"} else None


async def test_a_refresh_makes_pins_and_idle_times_count_at_once() -> None:
    chosen = Chosen()
    scene = Scene(find_card=chosen.find)
    await scene.use("a")
    chosen.choices = {"is_pinned": True, "idle_ttl_s": 60}
    await scene.pool.refresh("a")
    await scene.pass_s(600)
    assert scene.pool.snapshot().of("a").is_pinned
    chosen.choices = {"idle_ttl_s": 60}
    await scene.pool.refresh("a")
    await scene.pass_s(1)
    assert (len(scene.texts_of("pinned")), len(scene.texts_of("unpinned"))) == (1, 1)
    assert scene.state("a") == ModelState.UNLOADED


async def test_an_alias_is_the_same_model() -> None:
    scene = Scene(find_card=Chosen().find)
    one, two = await scene.ask("alias"), await scene.ask("a")
    assert (is_granted(one), is_granted(two), len(scene.runners)) == (True, True, 1)
    assert scene.resident == {"a"}


async def test_the_load_behind_an_alias_is_reported_as_progress() -> None:
    scene = Scene(find_card=Chosen().find)
    async with scene.pool.lease("alias") as lease:
        seen = [progress.phase async for progress in lease.progress()]
    assert seen[-1] == "loading"


class Disk:
    """A catalog whose models are deleted, replaced and brought back."""

    def __init__(self, *names: str) -> None:
        self.cards = {name: card(name) for name in names}
        self.asked = 0

    def find(self, model_id: str) -> Any:
        self.asked += 1
        return self.cards.get(model_id)


async def look(scene: Scene, disk: Disk) -> None:
    """Let time pass until what is in memory was looked for on the disk."""
    asked = disk.asked
    await scene.pass_s(5)
    async with asyncio.timeout(5):
        while disk.asked == asked:
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)


def delete(disk: Disk) -> None:
    del disk.cards["a"]


def break_(disk: Disk) -> None:
    disk.cards["a"] = card("a", problem="2 of its weight files are missing")


def rename(disk: Disk) -> None:
    disk.cards["a"] = card("b", aliases=("a",))


@pytest.mark.parametrize(
    ("lose", "why"),
    [
        (delete, "its folder no longer exists"),
        (rename, "its folder no longer exists"),
        (break_, "it can no longer be served: 2 of its weight files are missing"),
    ],
)
@pytest.mark.parametrize("is_pinned", [False, True])
async def test_a_model_that_no_request_can_reach_is_unloaded(
    lose: Callable[[Disk], None], why: str, is_pinned: bool
) -> None:
    disk = Disk("a", "b")
    disk.cards["a"] = card("a", is_pinned=is_pinned)
    scene = Scene(find_card=disk.find)
    await scene.use("a")
    await scene.use("b")
    lose(disk)
    for _ in range(2):
        await look(scene, disk)
    assert scene.resident == {"b"}
    assert scene.texts_of("unloaded") == [f"unloaded a: {why}; it held 1.0 GB"]


async def test_a_folder_that_is_away_for_a_moment_costs_nothing() -> None:
    disk = Disk("a")
    scene = Scene(find_card=disk.find)
    await scene.use("a")
    for _ in range(3):
        kept = disk.cards.pop("a")
        await look(scene, disk)
        disk.cards["a"] = kept
        await look(scene, disk)
    assert scene.resident == {"a"} and scene.texts_of("unloaded") == []


async def test_a_model_without_a_folder_ends_its_streams_first() -> None:
    disk = Disk("a")
    scene = Scene(find_card=disk.find)
    busy = await scene.ask("a")
    disk.cards.clear()
    for _ in range(2):
        await look(scene, disk)
    assert scene.state("a") == ModelState.DRAINING and not scene.runner_of("a").is_stopped
    await scene.leave(busy)
    assert scene.resident == set() and scene.runner_of("a").is_stopped


async def test_every_event_is_handed_on_once() -> None:
    events: list[PoolEvent] = []
    scene = Scene(A, on_event=events.append)
    await scene.use("a")
    await scene.pool.unload("a")
    assert [event.kind for event in events] == ["loaded", "unloaded"]
    assert scene.pool.snapshot().events == tuple(events)

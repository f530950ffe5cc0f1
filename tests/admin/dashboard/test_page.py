"""What the dashboard shows of a pool, its requests and its workers."""

import asyncio
from contextlib import aclosing
from typing import Any, cast

import msgspec
import pytest
from django.contrib.auth.models import User

from inference import models
from inference.admin.dashboard.page import (
    MOST_MODELS,
    DashboardCache,
    DashboardPage,
    page,
    read_cache,
    segments,
)
from inference.admin.dashboard.rows import DashboardRow, processes_of
from inference.core.events import Accepted
from inference.core.model_card import Finding
from inference.core.pool_state import Memory, ModelState, PoolEvent, RankState, ResidentModel
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.core.self_test_summary import SelfTestSummary
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.pool.residency.answer_growth import Answers
from inference.serving import runtime
from inference.serving.active_requests import STREAMS, SpeculationCounts
from inference.serving.generation import stream
from inference.serving.memory_breakdown import Bar
from tests.fakes import GB, FakeCatalog, FakeRunner, card, fake_pool, serving

QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
ME = Principal(kind="user", name="ann")


def look(*events: PoolEvent, **tests: SelfTestSummary) -> DashboardPage:
    return page(DashboardCache(cards=runtime.catalog().scan(), self_tests=tests, events=events))


def texts_of(rows: tuple[DashboardRow, ...]) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in rows]


def test_looking_starts_nothing() -> None:
    runner = FakeRunner()
    with serving(runner) as pool:
        seen = look()
        assert pool.snapshot().models == ()
    assert runner.loads == []
    assert (seen.workers, seen.streams, seen.events) == ((), (), ())


def test_models_are_listed_with_their_state_and_self_test() -> None:
    with serving(cards=[card("b"), card("a", problem="no weights")]):
        seen = look(b=SelfTestSummary(text="Works, without tools", tone="grey"))
    assert texts_of(seen.models) == [
        ["a", "cannot be served: no weights", "–", "0", "not tested"],
        ["b", "unloaded", "–", "0", "Works, without tools"],
    ]
    assert [row.act and row.act.value for row in seen.models] == [None, "load b"]


async def test_what_is_in_the_pool_comes_first() -> None:
    gate = asyncio.Event()
    with serving(FakeRunner(load_gate=gate), cards=[card("a"), card("tiny")]) as pool:
        await pool.load("tiny")
        await asyncio.sleep(0)
        seen = look()
        await pool.close()
    first = seen.models[0]
    assert [cell.text for cell in first.cells][:3] == ["tiny", "loading 40 %, reading weights", "1.0 GB"]
    assert (first.cells[1].percent, first.cells[1].tone) == (40, "loading")
    assert [row.act and row.act.value for row in seen.models] == ["unload tiny", "load a"]
    assert (seen.held, seen.memory[0].text) == ("Models hold 1.0 GB of 10.0 GB.", "Weights 1.0 GB")


async def test_those_in_trouble_come_before_those_at_rest() -> None:
    off = card("c-off", problem="an operator has switched it off", is_enabled=False)
    cards = [card("a"), card("z-broken", problem="no weights"), off, card("tiny")]
    with serving(FakeRunner(load_gate=asyncio.Event()), cards=cards) as pool:
        await pool.load("tiny")
        seen = look()
        await pool.close()
    assert [row.key for row in seen.models] == ["tiny", "z-broken", "a", "c-off"]


async def test_a_failed_model_says_why() -> None:
    with serving(FakeRunner(load_error="its weights are damaged")) as pool:
        await pool.load("tiny")
        while pool.snapshot().of("tiny").state != ModelState.FAILED:
            await asyncio.sleep(0.01)
        seen = look()
    assert (seen.models[0].cells[1].text, seen.models[0].cells[1].tone) == (
        "failed: its weights are damaged",
        "failed",
    )
    assert seen.events[0].cells[1].text.startswith("Could not load tiny: its weights are damaged")


def test_each_rank_on_this_machine_is_a_process_of_its_model() -> None:
    ranks = (RankState(rank=0, pid=41), RankState(rank=1, pid=42), RankState(rank=2, pid=43, host="mac2"))
    shared = ResidentModel(id="a", state=ModelState.READY, pid=41, ranks=ranks)
    assert [pid for pid, _ in processes_of(shared)] == [41, 42]
    assert [pid for pid, _ in processes_of(msgspec.structs.replace(shared, ranks=()))] == [41]


async def test_requests_and_workers_are_shown() -> None:
    with serving(FakeRunner(hold=asyncio.Event())) as pool:
        async with aclosing(stream(QUESTION, ME)) as events:
            while not isinstance(await anext(events), Accepted):
                continue
            seen = look()
        await pool.close()
    assert texts_of(seen.streams) == [["tiny", "ann", "processing the prompt", "0 s", "5 in, 0 out"]]
    assert texts_of(seen.models)[0][:4] == ["tiny", "busy", "1.0 GB", "1"]
    ((name, pid, _, restarts, _),) = texts_of(seen.workers)
    assert (name, pid, restarts) == ("tiny", "4242", "0")
    assert seen.events[0].cells[1].text.startswith("Loaded tiny:")


async def test_the_spare_worker_is_shown() -> None:
    with runtime.use_pool(
        fake_pool([FakeRunner()], keep_spare=True), models=cast(Any, FakeCatalog())
    ) as pool:
        await pool.warm_up()
        seen = look()
        await pool.close()
    assert texts_of(seen.workers)[0][:2] == ["spare worker", "4242"]


def test_a_pinned_model_says_so() -> None:
    with serving(cards=[card("a", is_pinned=True), card("b")]):
        assert [row.cells[0].note for row in look().models] == ["pinned", ""]


def loads(first: int, last: int) -> list[PoolEvent]:
    """Events of before this process, newest first."""
    return [
        PoolEvent(kind="loaded", model=f"m{n}", text=f"loaded m{n}", at=n) for n in range(last, first, -1)
    ]


async def test_what_the_pool_did_goes_on_from_before_the_start() -> None:
    with serving(FakeRunner()) as pool:
        assert texts_of(look(*loads(0, 9)).events)[0][1] == "Loaded m9"
        await pool.load("tiny")
        while pool.snapshot().of("tiny").state != ModelState.READY:
            await asyncio.sleep(0.01)
        seen = look(*reversed(pool.snapshot().events), *loads(0, 9))
        await pool.close()
    texts = [text for _, text in texts_of(seen.events)]
    assert texts[0].startswith("Loaded tiny:") and texts[1:] == [f"Loaded m{n}" for n in range(9, 2, -1)]


def test_a_long_list_of_models_is_cut() -> None:
    with serving(cards=[card(f"model-{number:02}") for number in range(MOST_MODELS + 3)]):
        seen = look()
    assert (len(seen.models), seen.more_models) == (MOST_MODELS, "and 3 more")


def test_the_bars_parts_lie_side_by_side() -> None:
    third = GB // 3
    found = segments(Bar(weights=third, kv=third, caches=0, others=0, free=third, limit=GB))
    assert [(part.x, part.width) for part in found] == [(0, 333), (333, 334), (667, 0), (667, 0), (667, 333)]
    assert [part.text for part in found][2] == "Prefixes –"


@pytest.mark.django_db
def test_self_tests_are_remembered_for_models_that_are_not_loaded() -> None:
    found = Finding(light="red", about="tools", text="It cannot call tools.")
    ServedModel.objects.create(name="tiny", findings=[msgspec.to_builtins(found)])
    ServedModel.objects.create(name="untested")
    with serving():
        assert read_cache().self_tests["tiny"].text == "Works, without tools"


@pytest.mark.django_db
def test_keys_are_known_by_their_names_and_events_are_kept() -> None:
    key = ApiKey(name="laptop", owner=User.objects.create_user("ann"))
    key.give_secret()
    key.save()
    event = PoolEvent(kind="evicted", model="a", text="evicted a", at=1_700_000_000.123456, seconds=4)
    models.PoolEvent.objects.record(event)
    with serving():
        seen = read_cache()
    assert seen.keys == {key.prefix: "laptop"}
    assert seen.events == (event,)


def test_a_models_drafts_are_beside_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STREAMS._drafts, "tiny", SpeculationCounts(1200, 900))
    with serving(cards=[card("tiny"), card("other")]):
        notes = {row.key: row.cells[3].note for row in look().models}
    assert notes == {"other": "", "tiny": "900 of 1,200 drafted tokens accepted"}


async def test_a_model_shows_what_its_answers_may_come_to_and_how_many_are_paused() -> None:
    runner = FakeRunner()
    with serving(runner, cards=[card("tiny", kv_bytes_per_token=10**6)]) as pool:
        running, paused = [
            await pool.admission.join("tiny", 100, "chat", Answers(1, 3000), "") for _ in range(2)
        ]
        for lease in (running, paused):
            await asyncio.wait([lease.granted])
            pool.admission.accept(lease, 100, 3000)
        paused.note_pause(0.0)
        runner.report(Memory(active=GB))
        (tiny,) = look().models
        await pool.close()
    assert (tiny.cells[2].text, tiny.cells[2].note) == ("1.6 GB", "may grow to 7.2 GB")
    assert tiny.cells[3].note == "1 paused"

"""Models in turns, on a simulated clock: how many loads it takes, and how long anybody waits at most."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.each import each
from tests.fakes import GB, FakeRunner, card
from tests.nightly import IS_NIGHTLY
from tests.pool.scene import Scene, is_granted
from tests.pool.simulation import Asked, Outcome, Simulation, both

SECONDS = st.sampled_from([0.1, 0.5, 1.0, 3.0, 7.0, 20.0])
TIMES = [(3, 2), (0.1, 5), (5, 20), (30, 1), (1, 1), (15, 15)]


def in_turns(run_s: float, gap_s: float = 0.0) -> list[Asked]:
    """Twelve requests of three models, each of another one than the last."""
    return [Asked(place * gap_s, "abc"[place % 3], run_s) for place in range(12)]


def longest_by_strict(new: Outcome, strict: Outcome) -> float:
    """The worst wait, as a multiple of what strict order makes of it."""
    return max(one / other for one, other in zip(new.waits, strict.waits, strict=True) if other)


@each(("load_s", "run_s"), TIMES)
async def test_twelve_requests_of_three_models_take_at_most_four_loads(load_s: float, run_s: float) -> None:
    new, strict = await both(in_turns(run_s), dict.fromkeys("abc", load_s))
    assert len(new.loads) <= 4 < len(strict.loads)
    assert longest_by_strict(new, strict) <= 2


@pytest.mark.parametrize(("load_s", "run_s"), [(5, 20), (15, 15), (30, 1), (3, 2)])
@pytest.mark.parametrize("gap_s", [0.1, 0.5, 1.0])
async def test_so_do_those_that_come_one_after_the_other(load_s: float, run_s: float, gap_s: float) -> None:
    new, strict = await both(in_turns(run_s, gap_s), dict.fromkeys("abc", load_s))
    assert len(new.loads) <= 4
    assert longest_by_strict(new, strict) <= 2


async def test_no_model_idles_while_its_own_requests_wait() -> None:
    new, _ = await both(in_turns(20), dict.fromkeys("abc", 5))
    assert new.waits == (5, 30, 55) * 4


@settings(max_examples=30 if IS_NIGHTLY else 12)
@given(order=st.permutations("aaaabbbbcccc"), load_s=SECONDS, run_s=SECONDS)
def test_in_whatever_order_they_wait_each_model_is_loaded_once(
    order: list[str], load_s: float, run_s: float
) -> None:
    asked = [Asked(0, model, run_s) for model in order]
    outcome = asyncio.run(Simulation(asked, dict.fromkeys("abc", load_s)).run())
    assert outcome.loads == tuple(dict.fromkeys(order))


@st.composite
def queues(draw: st.DrawFn, *, at: st.SearchStrategy[float]) -> tuple[list[Asked], dict[str, float], Any]:
    """Requests of up to four models, whose loads take their time and whose requests take alike."""
    names = "abcd"[: draw(st.integers(2, 4))]
    load_s, run_s = ({name: draw(SECONDS) for name in names} for _ in range(2))
    models = draw(st.lists(st.sampled_from(names), min_size=2, max_size=14))
    asked = [Asked(draw(at), model, run_s[model]) for model in models]
    options = {
        "max_leases": draw(st.sampled_from([1, 2, 32])),
        "patience_s": draw(st.sampled_from([0.0, 10.0, 100.0])),
    }
    return asked, load_s, options


@given(queues(at=st.just(0.0)))
def test_nobody_in_a_queue_waits_longer_than_twice_what_strict_order_makes_it_wait(queue: Any) -> None:
    asked, load_s, options = queue
    new, strict = asyncio.run(both(asked, load_s, **options))
    for waited, strictly in zip(new.waits, strict.waits, strict=True):
        assert waited <= 2 * strictly + 0.01


@given(queues(at=st.floats(0, 40).map(lambda at: round(at, 1))))
def test_where_requests_keep_coming_no_wait_is_longer_than_twice_the_longest_of_strict_order(
    queue: Any,
) -> None:
    """Who comes later may meet those whom others have overtaken, so single requests do not compare."""
    asked, load_s, options = queue
    new, strict = asyncio.run(both(asked, load_s, **options))
    # One more load may be under way than in strict order.
    assert max(new.waits) <= 2 * max(strict.waits) + max(load_s.values()) + 0.01


@settings(max_examples=30 if IS_NIGHTLY else 12)
@given(st.lists(st.tuples(st.sampled_from("abc"), SECONDS), min_size=2, max_size=14), SECONDS)
def test_answers_of_any_length_keep_nobody_for_longer_than_themselves(
    requests: list[tuple[str, float]], load_s: float
) -> None:
    """What nobody can know costs no more than itself: in each turn the longest answer of the model."""
    asked = [Asked(0, model, run_s) for model, run_s in requests]
    new, strict = asyncio.run(both(asked, dict.fromkeys("abc", load_s)))
    turns = sum(max((run for name, run in requests if name == model), default=0) for model in "abc")
    for waited, strictly in zip(new.waits, strict.waits, strict=True):
        assert waited <= 2 * strictly + turns


@each("max_leases", [1, 2, 32])
async def test_a_model_that_is_asked_without_a_pause_makes_way(max_leases: int) -> None:
    asked = [*(Asked(at, "a", 3) for at in range(60)), Asked(10.5, "b", 1)]
    new, strict = await both(asked, {"a": 2, "b": 2}, max_leases=max_leases)
    place = sorted(asked, key=lambda one: one.at).index(asked[-1])
    assert new.waits[place] <= 2 * strict.waits[place]
    assert "b" in new.loads


# Step by step.


async def test_those_that_waited_for_a_load_are_taken_though_the_next_one_has_lost_its_patience() -> None:
    gate = asyncio.Event()
    scene = Scene(card("a"), card("b"), card("c"), limit_bytes=GB, given=(FakeRunner(load_gate=gate),))
    first, other, second = [await scene.ask(model) for model in "aba"]
    await scene.pass_s(60)
    gate.set()
    await scene.pass_s(0)
    assert [is_granted(one) for one in (first, other, second)] == [True, False, True]
    await scene.pass_s(1)
    late = await scene.ask("a")
    assert not is_granted(late)
    await scene.leave(first, second)
    assert (is_granted(other), is_granted(late)) == (True, False)


async def test_one_that_would_double_anothers_wait_is_not_taken() -> None:
    scene = Scene(card("a"), card("b"), limit_bytes=GB, patience_s=1000)
    await scene.pass_s(0)
    long = await scene.ask("a")
    await scene.pass_s(100)
    hasty = await scene.ask("b")
    await scene.pass_s(1)
    again = await scene.ask("a")
    assert (is_granted(hasty), is_granted(again)) == (False, False)
    await scene.leave(long)
    assert (is_granted(hasty), is_granted(again)) == (True, False)


async def test_a_model_with_room_beside_the_one_that_makes_way_goes_on() -> None:
    scene = Scene(card("a"), card("b"), card("c"), limit_bytes=2 * GB)
    busy = [await scene.ask("a"), await scene.ask("a"), await scene.ask("b")]
    await scene.ask("c")
    await scene.pass_s(60)
    assert is_granted(await scene.ask("a"))
    assert not is_granted(await scene.ask("b"))
    await scene.leave(*busy)


async def test_a_pinned_model_makes_way_for_nobody() -> None:
    scene = Scene(card("p", is_pinned=True), card("a"), card("b"), limit_bytes=2 * GB)
    kept, busy = await scene.ask("p"), await scene.ask("a")
    waiting = await scene.ask("b")
    await scene.pass_s(60)
    assert is_granted(await scene.ask("p")) and not is_granted(waiting)
    await scene.leave(kept, busy)
    assert (is_granted(waiting), scene.resident) == (True, {"p", "b"})


async def test_a_model_keeps_its_place_for_a_while_and_serves_its_own_meanwhile() -> None:
    scene = Scene(card("a"), card("b"), limit_bytes=GB, min_residency_s=5)
    await scene.use("a")
    waiting = await scene.ask("b")
    await scene.pass_s(1)
    meanwhile = await scene.ask("a")
    assert is_granted(meanwhile)
    await scene.leave(meanwhile)
    await scene.pass_s(5)
    assert (is_granted(waiting), scene.resident) == (True, {"b"})

"""How accounts share the streams of a model and the queue, step by step."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.core.errors import QueueFull
from inference.pool.residency.answer_growth import Answers
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident, Stream
from inference.pool.scheduling.fair_queue import SEEN_FOR_S, FairQueue, fair_order, ranks
from tests.each import each
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, is_granted, refusal, spin


def pending(number: int, share: str, *, answers: int = 1, tokens: int | None = 0) -> PendingLease:
    future: asyncio.Future[Resident] = asyncio.new_event_loop().create_future()
    made = PendingLease(card("a"), future, 0.0, tokens, answers=Answers(answers), share=share, number=number)
    made.turn = number
    return made


def shares(order: list[PendingLease]) -> str:
    return " ".join(f"{one.share}{one.number}" for one in order)


# The order.


@each(
    ("waiting", "running", "order"),
    [
        ("x1 x2 x3", "", "x1 x2 x3"),
        ("x1 x2 x3 y4", "", "x1 y4 x2 x3"),
        ("x1 x2 y3 y4 z5", "", "x1 y3 z5 x2 y4"),
        ("x5 y6", "x1 x2", "y6 x5"),
        ("x5 y6 y7 y8", "x1 x2", "y6 y7 x5 y8"),
        ("x3 y8", "x4 x5", "x3 y8"),  # streams that came later and overtook it are not its debt
    ],
)
def test_whoever_has_least_is_first_and_then_whoever_came_first(
    waiting: str, running: str, order: str
) -> None:
    asked = [pending(int(one[1:]), one[0]) for one in waiting.split()]
    streams = [Stream(int(one[1:]), 0.0, one[0]) for one in running.split()]
    assert shares(fair_order(asked, streams)) == order


def test_a_request_counts_for_each_of_its_answers() -> None:
    asked = [pending(1, "x", answers=3), pending(2, "x"), *(pending(3 + one, "y") for one in range(4))]
    assert shares(fair_order(asked, [])) == "x1 y3 y4 y5 x2 y6"


def test_an_operators_load_comes_after_all_that_were_there_before_it() -> None:
    load = pending(3, "", tokens=None)
    asked = [pending(1, "x"), pending(2, "x"), load, pending(4, "y"), pending(5, "y")]
    assert [one.number for one in fair_order(asked, [])] == [1, 4, 2, 3, 5]


requests = st.lists(st.tuples(st.sampled_from("xyz"), st.booleans(), st.integers(1, 3)), max_size=24)


@settings(max_examples=40, deadline=None)
@given(requests)
def test_no_order_puts_an_account_that_has_more_before_one_that_has_less(drawn: Any) -> None:
    streams = [
        Stream(number, 0.0, share, weight)
        for number, (share, is_running, weight) in enumerate(drawn)
        if is_running
    ]
    asked = [
        pending(number, share, answers=weight)
        for number, (share, is_running, weight) in enumerate(drawn)
        if not is_running
    ]
    order, rank = fair_order(asked, streams), ranks(asked, streams)
    assert sorted(one.number for one in order) == [one.number for one in asked]
    if len({one.share for one in asked}) > 1:
        assert [rank[one] for one in order] == sorted(rank[one] for one in order)
    for share in "xyz":
        own = [one.number for one in order if one.share == share]
        assert own == sorted(own)  # nobody overtakes itself


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "leave", "grant", "end"]), st.integers(0, 9)), max_size=30))
def test_the_order_and_the_places_are_right_after_any_change(changes: list[tuple[str, int]]) -> None:
    streams: list[Stream] = []
    queue, numbers = FairQueue(lambda: streams, lambda: 0.0), itertools.count(1)
    waiting: list[PendingLease] = []
    for change, choice in changes:
        if change == "add":
            number = next(numbers)
            waiting.append(pending(number, "xyz"[choice % 3], answers=1 + choice % 2))
            queue.add(waiting[-1])
        elif change == "end" and streams:
            queue.note_end(streams.pop(choice % len(streams)))
        elif change in ("leave", "grant") and waiting:
            one = waiting.pop(choice % len(waiting))
            queue.discard(one)
            streams += [Stream(one.number, 0.0, one.share, one.weight)] if change == "grant" else []
        order = fair_order(waiting, streams)
        assert list(queue) == order
        assert [queue.position_of(one) for one in order] == list(range(1, len(order) + 1))
        is_shared = len({one.share for one in order}) > 1
        own = ranks(waiting, streams)
        assert all(queue.rank_of(one) == (own[one] if is_shared else 0) for one in order)
        assert all(list(queue.before(one)) == order[:place] for place, one in enumerate(order))
    assert queue.position_of(pending(99, "x")) == 0


# On a pool.


@each(("streams", "turns"), [(1, "bababab"), (2, "bababab"), (3, "bbaabba")])
async def test_accounts_take_turns(streams: int, turns: str) -> None:
    scene = Scene(card("a"), max_leases=streams, queue_limit=64)
    many = [await scene.ask("a", share="anna") for _ in range(12)]
    others = [await scene.ask("a", share="bo") for _ in range(4)]
    order: list[PendingLease] = []
    while running := [one for one in [*many, *others] if is_granted(one) and one.stream]:
        order += [one for one in running if one not in order]
        await scene.leave(next(one for one in order if one in running))  # the one that began first
    # Beside those that ran before he came, and until bo has no more.
    assert "".join(one.share[0] for one in order[streams : streams + 7]) == turns


async def test_a_place_never_gets_worse_for_the_requests_of_others_that_were_there_already() -> None:
    scene = Scene(card("a"), max_leases=2, queue_limit=64)
    first = [await scene.ask("a", share="anna") for _ in range(20)]
    others = [await scene.ask("a", share="bo") for _ in range(5)]
    places = []
    for one in first[:8]:
        places.append([scene.pool.admission.progress_of(other).done for other in others])
        await scene.leave(one)
    for place in zip(*places, strict=True):
        assert list(place) == sorted(place, reverse=True)


async def test_one_request_does_not_wait_behind_fifty_of_another_account() -> None:
    scene = Scene(card("a"), max_leases=4, queue_limit=64)
    many = [await scene.ask("a", share="anna") for _ in range(50)]
    single = await scene.ask("a", share="bo")
    assert (is_granted(single), scene.pool.admission.progress_of(single).done) == (False, 1)
    await scene.leave(many[0])
    assert is_granted(single)
    assert [is_granted(one) for one in many] == [True] * 4 + [False] * 46


async def test_a_waiting_request_is_told_why_others_are_before_it() -> None:
    scene = Scene(card("a"), max_leases=2)
    for _ in range(2):
        await scene.ask("a", share="anna")
    third, other = await scene.ask("a", share="anna"), await scene.ask("a", share="bo")
    progress = [scene.pool.admission.progress_of(one) for one in (third, other)]
    assert [(one.done, one.total, one.own) for one in progress] == [(2, 2, 2), (1, 2, 0)]


async def test_the_streams_come_to_be_shared_alike() -> None:
    scene = Scene(card("a"), max_leases=6, queue_limit=64)
    first = [await scene.ask("a", share="anna") for _ in range(12)]
    others = [await scene.ask("a", share="bo") for _ in range(12)]
    await scene.leave(*first[:3])
    assert (sum(map(is_granted, first[3:])), sum(map(is_granted, others))) == (3, 3)


async def test_a_stream_in_eight_is_kept_for_whoever_has_none() -> None:
    scene = Scene(card("a"), max_leases=16, queue_limit=64)
    await scene.leave(await scene.ask("a", share="bo"))
    many = [await scene.ask("a", share="anna") for _ in range(16)]
    assert sum(map(is_granted, many)) == 14
    assert [is_granted(await scene.ask("a", share=one)) for one in ("bo", "cleo", "dan")] == [
        True,
        True,
        False,
    ]


async def test_whoever_is_alone_has_all_streams() -> None:
    scene = Scene(card("a"), max_leases=16, queue_limit=64)
    await scene.leave(await scene.ask("a", share="bo"))
    await scene.pass_s(SEEN_FOR_S + 1)
    many = [await scene.ask("a", share="anna") for _ in range(16)]
    assert all(map(is_granted, many))


async def test_a_full_queue_loses_the_latest_of_the_account_that_has_most_in_it() -> None:
    scene = Scene(card("a"), max_leases=1, queue_limit=4)
    many = [await scene.ask("a", share="anna") for _ in range(5)]
    other = await scene.ask("a", share="bo")
    assert isinstance(refusal(many[-1]), QueueFull) and not other.granted.done()
    await scene.ask("a", share="bo")
    with pytest.raises(QueueFull):  # two each
        await scene.ask("a", share="bo")
    with pytest.raises(QueueFull):
        await scene.ask("a", share="anna")


async def test_a_loaded_model_serves_no_queue_of_one_account_while_another_waits_for_its_memory() -> None:
    gate = asyncio.Event()
    scene = Scene(
        card("a"),
        card("b"),
        limit_bytes=GB,
        max_leases=2,
        queue_limit=64,
        given=(FakeRunner(load_gate=gate),),
    )
    many = [await scene.ask("a", share="anna") for _ in range(40)]
    single = await scene.ask("b", share="bo")
    gate.set()
    await spin()
    served = 0
    while not is_granted(single):
        await scene.pass_s(5)
        running = [one for one in many if is_granted(one) and one.stream]
        served += len(running)
        await scene.leave(*running)
    assert served <= 4  # two at once, and those that strict order would have kept it waiting for

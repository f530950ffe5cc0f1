"""Who gets room and who waits: the scenarios of llama.cpp's router, Ollama's scheduler and llama-swap."""

import asyncio

import pytest

from inference.core.errors import AllPinned, ModelLoadFailed, PoolFull, QueueFull, ShuttingDown
from inference.core.pool_state import ModelState
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, is_granted, refusal, spin

A, B, C = card("a"), card("b"), card("c")
MB = 10**6


async def test_queue_does_not_evict_busy_model() -> None:
    scene = Scene(A, B, limit_bytes=GB)
    first = await scene.ask("a")
    second = await scene.ask("b")
    await scene.pass_s(60)
    assert (scene.state("a"), is_granted(second)) == (ModelState.BUSY, False)
    await scene.leave(first)
    assert (scene.resident, is_granted(second)) == ({"b"}, True)


async def test_queue_coalesces_requests_for_same_model() -> None:
    gate = asyncio.Event()
    scene = Scene(A, given=(FakeRunner(load_gate=gate),))
    asking = [await scene.ask("a") for _ in range(5)]
    gate.set()
    await spin()
    assert [is_granted(one) for one in asking] == [True] * 5
    assert [runner.loads for runner in scene.runners] == [["a"]]


async def test_queue_client_disconnect_keeps_model() -> None:
    gate = asyncio.Event()
    scene = Scene(A, given=(FakeRunner(load_gate=gate),))
    await scene.leave(await scene.ask("a"))
    gate.set()
    await spin()
    assert scene.state("a") == ModelState.READY


async def test_queue_is_fifo() -> None:
    scene = Scene(A, B, C, limit_bytes=GB)
    first = await scene.ask("a")
    second, third = await scene.ask("b"), await scene.ask("c")
    await scene.leave(first)
    assert (is_granted(second), is_granted(third)) == (True, False)
    await scene.leave(second)
    assert is_granted(third)


async def test_fast_path_load_not_evicted_before_proxy() -> None:
    gate = asyncio.Event()
    scene = Scene(A, B, limit_bytes=GB, given=(FakeRunner(load_gate=gate),))
    wanted = await scene.ask("a")
    other = await scene.ask("b")
    gate.set()
    await spin()
    assert (is_granted(wanted), scene.state("a"), is_granted(other)) == (True, ModelState.BUSY, False)


async def test_does_not_proxy_into_stopping_model() -> None:
    scene = Scene(A)
    first = await scene.ask("a")
    await scene.pool.unload("a")
    second = await scene.ask("a")
    assert (scene.state("a"), is_granted(second)) == (ModelState.DRAINING, False)
    await scene.leave(first)
    assert (is_granted(second), len(scene.runners)) == (True, 2)


async def test_queue_two_waiters_share_one_eviction() -> None:
    scene = Scene(A, B, C, limit_bytes=2 * GB)
    await scene.use("a")
    await scene.use("b")
    asking = [scene.pool.admission.join("c"), scene.pool.admission.join("c")]
    all_pending = await asyncio.gather(*asking)
    await spin()
    assert [is_granted(pending) for pending in all_pending] == [True, True]
    assert (scene.resident, len(scene.texts_of("evicted"))) == ({"b", "c"}, 1)


async def test_models_max_evicts_lru() -> None:
    scene = Scene(A, B, card("large", resident_bytes=2 * GB), limit_bytes=3 * GB)
    for model in ("a", "b", "a"):
        await scene.use(model)
        await scene.pass_s(1)
    await scene.use("large")
    assert scene.resident == {"a", "large"}
    assert scene.texts_of("evicted") == [
        "evicted b: idle 2 s; needed 2.0 GB for large, free 1.0 GB of 3.0 GB"
    ]


async def test_an_already_cancelled_request_loads_nothing() -> None:
    scene = Scene(A)
    asking = asyncio.ensure_future(scene.pool.admission.join("a"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await spin()
    assert (scene.runners, scene.pool.snapshot().waiting) == ([], 0)


async def test_a_request_that_waits_too_long_for_room_is_refused() -> None:
    scene = Scene(A, B, limit_bytes=GB, wait_limit_s=30)
    busy = await scene.ask("a")
    late = await scene.ask("b")
    await scene.pass_s(31)
    assert isinstance(refusal(late), PoolFull)
    assert 1 <= (refusal(late).retry_after or 0) <= 120
    await scene.leave(busy)
    assert "b" not in scene.resident


async def test_a_load_that_has_begun_is_waited_for() -> None:
    scene = Scene(A, wait_limit_s=30, given=(FakeRunner(load_gate=asyncio.Event()),))
    pending = await scene.ask("a")
    await scene.pass_s(31)
    assert not pending.granted.done()
    await scene.pool.close()


async def test_swap_error_fails_all_waiters() -> None:
    gate = asyncio.Event()
    scene = Scene(A, given=(FakeRunner(load_gate=gate, load_error="no weights"),))
    asking = [await scene.ask("a") for _ in range(3)]
    gate.set()
    await spin()
    assert [type(refusal(one)) for one in asking] == [ModelLoadFailed] * 3


async def test_no_swap_while_serving() -> None:
    scene = Scene(A, B, limit_bytes=GB)
    one, two = await scene.ask("a"), await scene.ask("a")
    waiting = await scene.ask("b")
    await scene.leave(one)
    assert not scene.runner_of("a").is_stopped and not is_granted(waiting)
    await scene.leave(two)
    assert is_granted(waiting)


async def test_cancelled_queued_waiter_releases_reservation() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB), limit_bytes=2 * GB)
    first = await scene.ask("a", 600)
    cancelled, last = await scene.ask("a", 800), await scene.ask("a", 300)
    await scene.leave(cancelled)
    assert is_granted(last)
    await scene.leave(first, last)
    await scene.report("a", active=GB)
    assert scene.reserved == GB


async def test_shutdown_fails_all_waiters() -> None:
    scene = Scene(A, B, limit_bytes=GB, given=(FakeRunner(load_gate=asyncio.Event()),))
    asking = [await scene.ask(model) for model in ("a", "a", "b")]
    await scene.pool.close()
    assert [type(refusal(one)) for one in asking] == [ShuttingDown] * 3


async def test_a_full_queue_says_when_to_come_back() -> None:
    scene = Scene(A, queue_limit=1, given=(FakeRunner(load_gate=asyncio.Event()),))
    await scene.ask("a")
    with pytest.raises(QueueFull) as answer:
        await scene.ask("a")
    assert 1 <= (answer.value.retry_after or 0) <= 120
    await scene.pool.close()


# Minimum residency, pins, fairness.


async def test_a_model_keeps_its_place_for_a_while() -> None:
    scene = Scene(A, B, limit_bytes=GB, min_residency_s=5)
    await scene.use("a")
    pending = await scene.ask("b")
    await scene.pass_s(4.9)
    assert scene.resident == {"a"}
    await scene.pass_s(0.2)
    assert (scene.resident, is_granted(pending)) == ({"b"}, True)


async def test_when_pins_hold_the_room_it_is_refused_at_once() -> None:
    scene = Scene(card("a", is_pinned=True), card("b", is_pinned=True), C, limit_bytes=2 * GB)
    await scene.use("a")
    await scene.use("b")
    with pytest.raises(AllPinned, match="'a' and 'b', which are pinned, hold 2.0 GB of 2.0") as answer:
        await scene.ask("c")
    assert answer.value.retry_after
    assert (scene.resident, len(scene.texts_of("refused"))) == ({"a", "b"}, 1)


async def test_a_pin_that_leaves_room_enough_refuses_nobody() -> None:
    scene = Scene(card("a", is_pinned=True), B, C, limit_bytes=2 * GB)
    for model in ("a", "b", "c"):
        await scene.use(model)
    assert scene.resident == {"a", "c"}


async def test_requests_for_resident_models_go_on_while_another_waits_for_room() -> None:
    scene = Scene(A, B, limit_bytes=GB, patience_s=10)
    first = await scene.ask("a")
    await scene.ask("b")
    await scene.pass_s(9)
    assert is_granted(await scene.ask("a"))
    await scene.leave(first)


async def test_one_that_waited_long_enough_is_overtaken_no_more() -> None:
    scene = Scene(A, B, limit_bytes=GB, patience_s=10)
    first = await scene.ask("a")
    patient = await scene.ask("b")
    await scene.pass_s(11)
    second = await scene.ask("a")
    assert not is_granted(second)
    await scene.leave(first)
    assert (is_granted(patient), is_granted(second)) == (True, False)


async def test_only_as_many_models_make_way_as_are_needed() -> None:
    scene = Scene(A, B, C, limit_bytes=2 * GB, patience_s=10)
    many = [await scene.ask("a"), await scene.ask("a")]
    few = await scene.ask("b")
    patient = await scene.ask("c")
    await scene.pass_s(11)
    asked_many, asked_few = await scene.ask("a"), await scene.ask("b")
    assert (is_granted(asked_many), is_granted(asked_few)) == (True, False)
    await scene.leave(few)
    assert is_granted(patient)
    await scene.leave(*many)


async def test_bytes_the_first_in_line_needs_are_kept_for_it_after_its_patience() -> None:
    scene = Scene(
        card("a", kv_bytes_per_token=MB), card("b", is_pinned=True, kv_bytes_per_token=MB), limit_bytes=3 * GB
    )
    long = await scene.ask("b", 900)
    await scene.use("a")
    patient = await scene.ask("a", 950)
    await scene.pass_s(11)
    small = await scene.ask("b", 50)
    assert (is_granted(patient), is_granted(small)) == (False, False)
    await scene.leave(long)
    await scene.report("b", active=GB)
    assert (is_granted(patient), is_granted(small)) == (True, True)


async def test_to_load_what_is_loaded_waits_for_nobody() -> None:
    scene = Scene(A, max_leases=1)
    busy = await scene.ask("a")
    await scene.pool.load("a")
    assert scene.pool.snapshot().waiting == 0
    await scene.leave(busy)


async def test_no_load_begins_behind_one_that_lacks_room() -> None:
    scene = Scene(card("huge", resident_bytes=3 * GB), A, B, limit_bytes=3 * GB)
    busy = await scene.ask("a")
    huge = await scene.ask("huge")
    later = await scene.ask("b")
    await scene.leave(busy)
    assert (is_granted(huge), is_granted(later)) == (True, False)


async def test_a_large_request_is_not_overtaken_by_smaller_ones_for_its_model() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB), limit_bytes=2 * GB)
    first = await scene.ask("a", 500)
    large, small = await scene.ask("a", 900), await scene.ask("a", 10)
    assert (is_granted(large), is_granted(small)) == (False, False)
    await scene.leave(first)
    await scene.report("a", active=GB)
    assert (is_granted(large), is_granted(small)) == (True, True)


async def test_a_pending_lease_has_its_place() -> None:
    scene = Scene(A, B, limit_bytes=GB)
    await scene.ask("a")
    waiting = [await scene.ask("b") for _ in range(3)]
    places = [scene.pool.admission.progress_of(one) for one in waiting]
    assert [(place.phase, place.done, place.total) for place in places] == [
        ("queued", 1, 3),
        ("queued", 2, 3),
        ("queued", 3, 3),
    ]

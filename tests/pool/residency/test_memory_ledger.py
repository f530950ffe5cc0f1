"""Room for KV caches: what a lease reserves, what a worker reports, what is shed."""

import pytest

from inference.core.errors import ModelTooLarge
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, is_granted

A, B, C = card("a"), card("b"), card("c")
MB = 10**6


async def test_a_grant_reserves_its_tokens_and_one_chunk_of_prefill() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB, prefill_bytes=50 * MB))
    one = await scene.ask("a", 100)
    two = await scene.ask("a", 200)
    assert scene.reserved == GB + 350 * MB
    await scene.leave(one, two)


async def test_settling_corrects_the_reservation_and_serves_pending_leases() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB), limit_bytes=2 * GB)
    one = await scene.ask("a", 800)
    two = await scene.ask("a", 500)
    assert not is_granted(two)
    scene.pool.admission.accept(one, 400, 0)
    assert is_granted(two) and scene.reserved == GB + 900 * MB


async def test_what_a_lease_took_stays_counted_until_the_worker_reports() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB))
    await scene.leave(await scene.ask("a", 100))
    assert scene.reserved == GB + 100 * MB
    await scene.report("a", active=GB + 60 * MB, prefix_cache=60 * MB)
    assert scene.reserved == GB + 60 * MB


async def test_a_model_does_not_go_to_make_room_for_its_own_request() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB), limit_bytes=2 * GB)
    await scene.leave(await scene.ask("a", 900))
    pending = await scene.ask("a", 500)
    assert not pending.granted.done()
    await scene.report("a", active=GB + 900 * MB, prefix_cache=900 * MB)
    assert (is_granted(pending), scene.runners[0].sheds, len(scene.runners)) == (True, [500 * MB], 1)


async def test_a_request_that_can_never_fit_is_refused_at_once_with_numbers() -> None:
    chosen = card("a", kv_bytes_per_token=MB, context_cap=4096)  # otherwise its context is what fits
    scene = Scene(chosen, limit_bytes=2 * GB)
    with pytest.raises(
        ModelTooLarge, match="up to 1001 tokens needs 1.0 GB .* limit is 2.0 GB: send less text"
    ):
        await scene.ask("a", 1001)


async def test_tokens_count_no_further_than_the_context() -> None:
    scene = Scene(card("a", kv_bytes_per_token=MB, context_length=500), limit_bytes=2 * GB)
    assert is_granted(await scene.ask("a", 10**9))
    assert scene.reserved == GB + 500 * MB


async def test_prefixes_are_shed_before_a_model_is_evicted_and_no_more_than_needed() -> None:
    scene = Scene(A, B, C, limit_bytes=4 * GB)
    await scene.use("a")
    await scene.report("a", active=2 * GB, prefix_cache=GB)
    await scene.pass_s(1)
    await scene.use("b")
    await scene.report("b", active=GB + 500 * MB, prefix_cache=500 * MB)
    await scene.use("c")
    assert scene.resident == {"a", "b", "c"}
    assert (scene.runner_of("a").sheds, scene.runner_of("b").sheds) == ([500 * MB], [])
    assert "shed 0.5 GB of prefixes of a: needed 1.0 GB for c" in scene.texts_of("shed")[0]


class Stubborn(FakeRunner):
    """Keeps its prefixes when it is asked to shed them."""

    def shed(self, keep_bytes: int) -> None:
        self.sheds.append(keep_bytes)


async def test_a_worker_that_does_not_shed_is_evicted_after_a_moment() -> None:
    scene = Scene(A, B, limit_bytes=2 * GB + 500 * MB, given=(Stubborn(),))
    await scene.use("a")
    await scene.report("a", active=2 * GB, prefix_cache=GB)
    pending = await scene.ask("b")
    assert (scene.resident, is_granted(pending)) == ({"a"}, False)
    await scene.pass_s(3)
    assert (scene.resident, is_granted(pending)) == ({"b"}, True)
    assert len(scene.runners[0].sheds) == 1


async def test_workers_that_hold_more_than_the_limit_shed_and_idle_ones_go() -> None:
    scene = Scene(A, B, limit_bytes=3 * GB)
    await scene.use("a")
    busy = await scene.ask("b")
    await scene.report("b", active=3 * GB)
    assert scene.resident == {"b"}
    assert "models hold 4.0 GB of 3.0 GB" in scene.texts_of("evicted")[0]
    assert scene.reasons_of("evicted") == ["over_limit"]
    await scene.leave(busy)

"""Loads that fail, workers that die, and the spare."""

import asyncio
from typing import Any

import pytest

from inference.core.errors import ModelLoadFailed
from inference.core.pool_state import ModelState
from tests.fakes import GB, FakeRunner, card
from tests.pool.scene import Scene, is_granted, refusal, spin

A, B = card("a"), card("b")
OUT_OF_MEMORY = "too large for what is left"


def starved(**facts: Any) -> FakeRunner:
    """A runner whose load runs out of memory."""
    return FakeRunner(load_error=OUT_OF_MEMORY, load_kind="out_of_memory", **facts)


class Stubborn(FakeRunner):
    """Ending it fails."""

    async def stop(self) -> None:
        await super().stop()
        raise OSError("no such process")


async def test_oom_evicts_all_and_retries_once() -> None:
    scene = Scene(A, B, given=(FakeRunner(), starved()))
    await scene.use("a")
    pending = await scene.ask("b")
    assert (is_granted(pending), scene.resident, len(scene.runners)) == (True, {"b"}, 3)
    assert scene.runners[0].is_stopped and scene.runners[1].is_stopped


async def test_oom_is_retried_only_once() -> None:
    scene = Scene(A, B, given=(FakeRunner(), starved(), starved()))
    await scene.use("a")
    pending = await scene.ask("b")
    assert OUT_OF_MEMORY in refusal(pending).message
    assert len(scene.runners) == 3


async def test_oom_with_no_other_model_fails_fast() -> None:
    scene = Scene(A, given=(starved(),))
    assert OUT_OF_MEMORY in refusal(await scene.ask("a")).message
    assert len(scene.runners) == 1


async def test_oom_leaves_busy_and_pinned_models_alone() -> None:
    scene = Scene(A, B, card("p", is_pinned=True), given=(FakeRunner(), FakeRunner(), starved()))
    busy = await scene.ask("a")
    await scene.use("p")
    assert OUT_OF_MEMORY in refusal(await scene.ask("b")).message
    assert scene.resident == {"a", "p"}
    await scene.leave(busy)


@pytest.mark.parametrize("text", [OUT_OF_MEMORY, "there is not enough memory for it"])
async def test_no_other_failure_evicts_a_model_whatever_its_message(text: str) -> None:
    scene = Scene(A, B, given=(FakeRunner(), FakeRunner(load_error=text)))
    await scene.use("a")
    assert text in refusal(await scene.ask("b")).message
    assert (scene.resident, len(scene.runners)) == ({"a"}, 2)


async def test_a_failed_load_frees_its_bytes_though_its_worker_cannot_be_ended() -> None:
    scene = Scene(A, given=(Stubborn(load_error="no weights"),))
    assert "no weights" in refusal(await scene.ask("a")).message
    assert scene.reserved == 0
    await scene.pass_s(3)
    assert is_granted(await scene.ask("a"))


async def test_an_eviction_frees_its_bytes_though_its_worker_cannot_be_ended() -> None:
    scene = Scene(A, B, limit_bytes=GB, given=(Stubborn(),))
    await scene.use("a")
    assert is_granted(await scene.ask("b"))
    assert (scene.resident, scene.reserved) == ({"b"}, GB)


async def test_so_does_a_worker_that_died() -> None:
    scene = Scene(A, given=(Stubborn(),))
    await scene.use("a")
    await scene.kill("a")
    assert scene.reserved == 0


async def test_the_second_attempt_is_made_though_nobody_could_be_ended() -> None:
    starving = Stubborn(load_error=OUT_OF_MEMORY, load_kind="out_of_memory")
    scene = Scene(A, B, given=(Stubborn(), starving))
    await scene.use("a")
    assert is_granted(await scene.ask("b"))
    assert scene.resident == {"b"}


async def test_a_load_that_is_broken_off_frees_its_bytes_too() -> None:
    scene = Scene(A, given=(Stubborn(load_gate=asyncio.Event()),))
    pending = await scene.ask("a")
    await scene.pool.unload("a", is_now=True)
    await spin()
    refusal(pending)
    assert scene.reserved == 0


async def test_closing_ends_the_others_though_one_cannot_be_ended() -> None:
    scene = Scene(A, B, given=(Stubborn(), FakeRunner()))
    await scene.use("a")
    await scene.use("b")
    await scene.pool.close()
    assert [runner.is_stopped for runner in scene.runners] == [True, True]


async def test_a_worker_that_cannot_be_started_again_is_a_failed_load() -> None:
    runners = iter([FakeRunner(), starved()])
    scene = Scene(A, B, start_runner=lambda: next(runners))
    await scene.use("a")
    assert "an internal error" in refusal(await scene.ask("b")).message
    assert scene.reserved == 0


class Broken(FakeRunner):
    """Its load raises what nobody expects."""

    async def load(self, *args: object) -> object:  # type: ignore[override]
        raise ZeroDivisionError


async def test_a_load_that_breaks_in_an_unexpected_way_still_fails_pending_leases() -> None:
    scene = Scene(A, given=(Broken(),))
    assert "an internal error" in refusal(await scene.ask("a")).message
    assert scene.state("a") == ModelState.FAILED


async def test_a_failed_load_is_tried_again_but_not_within_two_seconds() -> None:
    scene = Scene(A, given=(FakeRunner(load_error="no weights"),))
    await scene.ask("a")
    again = await scene.ask("a")
    await scene.pass_s(1.9)
    assert (again.granted.done(), len(scene.runners)) == (False, 1)
    await scene.pass_s(0.2)
    assert is_granted(again)
    assert scene.pool.snapshot().of("a").reason == ""


async def test_a_failed_load_is_shown_for_five_minutes() -> None:
    scene = Scene(A, given=(FakeRunner(load_error="no weights"),))
    await scene.ask("a")
    await scene.pass_s(299)
    assert (scene.state("a"), scene.pool.snapshot().of("a").reason) == (ModelState.FAILED, "no weights")
    await scene.pass_s(2)
    assert scene.state("a") == ModelState.UNLOADED


async def die_quickly(scene: Scene, times: int) -> None:
    for _ in range(times):
        pending = await scene.ask("a")
        await scene.pass_s(10)
        await scene.leave(pending)
        await scene.kill("a")


async def test_a_death_is_reported_with_its_reason_and_its_age() -> None:
    scene = Scene(A)
    await die_quickly(scene, 1)
    assert scene.texts_of("died") == [
        "the worker of a died after 10 s: killed by a test; it may start again in 1 s"
    ]
    assert scene.reasons_of("died") == ["unknown"]
    shown = scene.pool.snapshot().of("a")
    assert (shown.restarts, shown.retry_in_s, shown.reason) == (1, 1.0, "killed by a test")


async def test_during_a_short_back_off_requests_wait() -> None:
    scene = Scene(A)
    await die_quickly(scene, 1)
    pending = await scene.ask("a")
    assert not pending.granted.done()
    await scene.pass_s(1)
    assert is_granted(pending)
    assert len(scene.texts_of("restarted")) == 1


async def test_after_five_quick_deaths_requests_are_refused_at_once() -> None:
    scene = Scene(A)
    await die_quickly(scene, 5)
    with pytest.raises(ModelLoadFailed, match="died 5 times, the last time: killed by a test") as answer:
        await scene.ask("a")
    assert (answer.value.retry_after, scene.state("a")) == (300.0, ModelState.FAILED)


async def test_a_pending_lease_is_refused_when_the_breaker_opens() -> None:
    scene = Scene(A, max_leases=1)
    await die_quickly(scene, 4)
    await scene.pass_s(10)
    dying, waiting = await scene.ask("a"), await scene.ask("a")
    await scene.kill("a")
    assert isinstance(refusal(waiting), ModelLoadFailed)
    await scene.leave(dying)


async def test_an_operators_load_closes_the_breaker() -> None:
    scene = Scene(A)
    await die_quickly(scene, 5)
    await scene.pool.load("a")
    await spin()
    assert scene.state("a") == ModelState.READY
    assert scene.pool.snapshot().of("a").restarts == 5


async def test_an_eviction_is_no_death() -> None:
    scene = Scene(A, B, limit_bytes=GB)
    await scene.use("a")
    await scene.use("b")
    assert (scene.texts_of("died"), scene.pool.snapshot().of("a").restarts) == ([], 0)


async def test_the_limit_becomes_what_the_device_may_use_unless_it_was_given() -> None:
    limits = []
    for is_given in (False, True):
        runner = FakeRunner()
        runner.device_bytes = 3 * GB
        scene = Scene(A, given=(runner,), keep_spare=True, is_limit_given=is_given)
        await scene.pool.warm_up()
        await spin()
        limits.append(scene.pool.snapshot().limit_bytes)
        await scene.pool.close()
    assert limits == [3 * GB, 10 * GB]


async def test_a_spare_that_ended_is_not_used() -> None:
    scene = Scene(A, keep_spare=True)
    await scene.pool.warm_up()
    await spin()
    scene.runners[0].die()
    await spin()
    assert not scene.pool.snapshot().is_spare_ready
    assert is_granted(await scene.ask("a"))
    assert scene.runners[0].loads == []
    await scene.pool.close()


async def test_closing_during_a_second_attempt_starts_no_more_workers() -> None:
    gate = asyncio.Event()
    scene = Scene(A, B, given=(FakeRunner(), starved(load_gate=gate)))
    await scene.use("a")
    pending = await scene.ask("b")
    gate.set()
    await scene.pool.close()
    assert pending.granted.exception()
    assert all(runner.is_stopped for runner in scene.runners)

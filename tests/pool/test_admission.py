"""Which requests may wait for a model."""

import pytest

from inference.core.errors import InvalidValue, ModelNotFound, ServerError, ShuttingDown
from tests.each import each
from tests.fakes import FakeRunner, card
from tests.pool.scene import Scene, is_granted, spin


@each(
    ("model", "kind", "error"),
    [("none", "", ModelNotFound), ("vectors", "chat", InvalidValue), ("off", "", ModelNotFound)],
)
async def test_a_request_that_waiting_cannot_help_is_refused_at_once(
    model: str, kind: str, error: type[ServerError]
) -> None:
    scene = Scene(card("a"), card("vectors", kind="embedding"), card("off", is_enabled=False, problem="off"))
    with pytest.raises(error):
        await scene.pool.admission.join(model, 1, kind)
    assert scene.pool.snapshot().waiting == 0


async def test_two_loads_of_an_operator_are_one() -> None:
    scene = Scene(card("a", resident_bytes=8 * 10**9), card("b", resident_bytes=8 * 10**9))
    busy = await scene.ask("a")
    first, second = await scene.ask("b", None), await scene.ask("b", None)
    assert is_granted(busy) and first is second


async def test_a_request_reserves_no_more_than_the_context() -> None:
    scene = Scene(card("a", context_length=512))
    assert (await scene.ask("a", 10**6)).held_tokens == 512


async def test_one_that_leaves_the_queue_is_cancelled() -> None:
    scene = Scene(card("a"), card("b", resident_bytes=10**10))
    await scene.ask("a")
    waiting = await scene.ask("b")
    assert scene.pool.admission.progress_of(waiting).phase == "queued"
    await scene.leave(waiting)
    assert waiting.granted.cancelled() and scene.pool.snapshot().waiting == 0


async def test_after_the_close_nobody_is_admitted_and_those_that_wait_fail() -> None:
    scene = Scene(card("a"), card("b", resident_bytes=10**10), given=(FakeRunner(),))
    await scene.ask("a")
    waiting = await scene.ask("b")
    scene.pool.admission.close()
    failure = waiting.granted.exception()
    assert isinstance(failure, ShuttingDown) and failure.retry_after
    with pytest.raises(ShuttingDown) as refused:
        await scene.pool.admission.join("a")
    assert refused.value.retry_after


async def test_while_it_drains_nobody_is_admitted_and_those_that_wait_go_on() -> None:
    scene = Scene(card("a"), card("b", resident_bytes=10**10), given=(FakeRunner(),))
    running = await scene.ask("a")
    waiting = await scene.ask("b")
    scene.pool.drain()
    with pytest.raises(ShuttingDown) as refused:
        await scene.pool.admission.join("a")
    assert refused.value.retry_after and not waiting.granted.done()
    await scene.leave(running)
    await spin()
    assert is_granted(waiting)

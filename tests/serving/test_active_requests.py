import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from inference.core.errors import NotFound, StoppedByOperator
from inference.core.events import Accepted, Event, Progress, TextDelta
from inference.core.pool_state import ModelState
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message
from inference.serving import control, generation
from inference.serving.active_requests import STREAMS, SpeculationCounts, Streams, StreamView
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_recorder import RequestRecorder
from tests.fakes import FakeRunner, serving

QUESTION = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
ME = Principal(kind="user", name="ann")


async def read(events: AsyncGenerator[Event], kind: type[Event]) -> Event:
    """The next event of this kind."""
    while not isinstance(event := await anext(events), kind):
        continue
    return event


def only() -> StreamView:
    (stream,) = STREAMS.snapshot()
    return stream


async def rest(events: AsyncGenerator[Event]) -> None:
    async with aclosing(events):
        async for _ in events:
            continue


async def test_a_request_is_shown_from_its_beginning_to_its_end() -> None:
    hold, gate = asyncio.Event(), asyncio.Event()
    with serving(FakeRunner(hold=hold, load_gate=gate)):
        async with aclosing(generation.stream(QUESTION, ME)) as events:
            await read(events, Progress)
            loading = only()
            gate.set()
            await read(events, Accepted)
            prefill = only()
            await read(events, TextDelta)
            decode = only()
            hold.set()
            await rest(events)
    assert [one.phase for one in (loading, prefill, decode)] == ["loading", "prefill", "decode"]
    assert (loading.principal, loading.model, loading.kind) == ("ann", "tiny", "chat")
    assert (loading.done, loading.total, decode.total) == (0, 100, 0)
    assert (prefill.prompt_tokens, prefill.tokens, decode.tokens) == (5, 0, 1)
    assert STREAMS.snapshot() == ()


async def test_one_that_waits_is_stopped_at_once_and_gives_everything_back() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner) as pool:
        async with aclosing(generation.stream(QUESTION, ME)) as events:
            await read(events, TextDelta)
            reading = asyncio.create_task(rest(events))
            await asyncio.sleep(0)
            await control.stop(only().id)
            with pytest.raises(StoppedByOperator):
                await reading
        assert (runner.cancelled, pool.snapshot().of("tiny").state) == (1, ModelState.READY)
    assert STREAMS.snapshot() == ()


async def test_one_whose_reader_is_busy_is_stopped_with_its_next_event() -> None:
    runner = FakeRunner(("a", "b", "c"))
    with serving(runner):
        async with aclosing(generation.stream(QUESTION, ME)) as events:
            await read(events, TextDelta)
            await control.stop(only().id)
            with pytest.raises(StoppedByOperator):
                await anext(events)
    assert runner.cancelled == 1


async def test_one_that_waits_for_its_model_is_stopped_and_the_load_goes_on() -> None:
    gate = asyncio.Event()
    with serving(FakeRunner(load_gate=gate)) as pool:
        reading = asyncio.create_task(rest(generation.stream(QUESTION, ME)))
        while not STREAMS.snapshot() or only().phase != "loading":
            await asyncio.sleep(0.01)
        await control.stop(only().id)
        with pytest.raises(StoppedByOperator):
            await reading
        gate.set()
        while pool.snapshot().of("tiny").state != ModelState.READY:
            await asyncio.sleep(0.01)
        assert pool.snapshot().waiting == 0


async def test_a_stopped_task_is_free_to_go_on() -> None:
    async def reader() -> str:
        with pytest.raises(StoppedByOperator):
            await rest(generation.stream(QUESTION, ME))
        await asyncio.sleep(0)
        return "went on"

    with serving(FakeRunner(hold=asyncio.Event())):
        reading = asyncio.create_task(reader())
        while not STREAMS.snapshot() or only().phase != "decode":
            await asyncio.sleep(0.01)
        await control.stop(only().id)
        assert await reading == "went on"


async def test_a_reader_that_leaves_in_the_same_moment_has_left() -> None:
    with serving(FakeRunner(hold=asyncio.Event())):
        reading = asyncio.create_task(rest(generation.stream(QUESTION, ME)))
        while not STREAMS.snapshot() or only().phase != "decode":
            await asyncio.sleep(0.01)
        await control.stop(only().id)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_what_has_ended_cannot_be_stopped() -> None:
    with pytest.raises(NotFound, match="no longer in progress"):
        await control.stop("0123")


async def test_tokens_are_counted_on_beyond_the_end_of_a_request() -> None:
    before = STREAMS.tokens
    with serving(FakeRunner(("a", "b", "c"))):
        async with aclosing(generation.stream(QUESTION, ME)) as events:
            await read(events, TextDelta)
            assert STREAMS.tokens - before == 1
            await rest(events)
    assert STREAMS.tokens - before == 3


def test_drafts_are_counted_for_a_model_with_those_of_its_adapters() -> None:
    streams = Streams()
    for model, drafted, accepted in (("a", 10, 7), ("a:poet", 5, 5), ("ab", 99, 1), ("a", 2, 0), ("b", 0, 0)):
        recorder = RequestRecorder(RequestEntry(at=0, principal_kind="local", model=model, kind="chat"))
        with asyncio.Runner() as runner:
            runner.run(ended(streams, recorder, drafted, accepted))
    assert streams.drafts_of("a") == SpeculationCounts(17, 12)
    assert streams.drafts_of("ab") == SpeculationCounts(99, 1)
    assert streams.drafts_of("b") == SpeculationCounts()


async def ended(streams: Streams, recorder: RequestRecorder, drafted: int, accepted: int) -> None:
    with streams.open(recorder):
        recorder.entry.drafted_tokens, recorder.entry.accepted_tokens = drafted, accepted


async def test_joining_waits_for_every_request_in_progress() -> None:
    streams, order = Streams(), list[str]()

    async def one(name: str, gate: asyncio.Event) -> None:
        entry = RequestEntry(at=0, principal_kind="local", model="a", kind="chat")
        with streams.open(RequestRecorder(entry)):
            await gate.wait()
            order.append(name)

    await streams.join()  # with none it returns at once
    gates = asyncio.Event(), asyncio.Event()
    tasks = [asyncio.create_task(one(name, gate)) for name, gate in zip("ab", gates, strict=True)]
    await asyncio.sleep(0)
    joined = asyncio.create_task(streams.join())
    for gate in gates:
        await asyncio.sleep(0)
        assert not joined.done()
        gate.set()
        await asyncio.sleep(0.01)
    await joined
    assert order == ["a", "b"] and all(task.done() for task in tasks)

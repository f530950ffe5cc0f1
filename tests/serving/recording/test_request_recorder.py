"""Entries as the ledger gets them: who, when, how long, how many, and how it ended."""

import json
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest

from inference.core.errors import ContextLengthExceeded, InternalError, ModelNotFound, ServerError, WorkerDied
from inference.core.events import (
    Accepted,
    Ended,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    Timings,
    Usage,
)
from inference.core.principal import Principal
from inference.core.requests import ChatRequest, Message, Request
from inference.serving import generation
from inference.serving.recording.capture_switch import SWITCH, Switch
from inference.serving.recording.request_entry import RequestEntry
from inference.serving.recording.request_recorder import MOST_CHARACTERS, RequestRecorder, recorded
from tests.core.test_requests import STORED
from tests.each import each
from tests.fakes import FakeRunner, serving

ASKED = ChatRequest(model="tiny", messages=(Message(role="user", content="a secret question"),))
ANN = Principal(kind="user", name="ann")


class Clock:
    at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> RequestRecorder:
    return RequestRecorder(RequestEntry(at=0, principal_kind="local", model="tiny", kind="chat"), clock)


def note(recorder: RequestRecorder, clock: Clock, *events: Any) -> RequestEntry:
    """Let each event come a second after the one before."""
    for event in events:
        clock.at += 1
        recorder.note(event)
    return recorder.entry


def test_a_pause_is_neither_waiting_nor_work(recorder: RequestRecorder, clock: Clock) -> None:
    deltas = (TextDelta(text="a"), Progress(phase="paused"), Progress(phase="prefill"), TextDelta(text="b"))
    entry = note(recorder, clock, Accepted(prompt_tokens=5), *deltas)
    assert (entry.queued_s, entry.paused_s, entry.prefill_s, entry.decode_s) == (1, 1, 2, 1)
    note(recorder, clock, Progress(phase="paused"))
    assert recorder.phase == "paused"


def test_an_answer_that_memory_has_cut_says_so(recorder: RequestRecorder, clock: Clock) -> None:
    finished = Finished(usage=Usage(prompt_tokens=5, completion_tokens=2), cut_by="memory")
    assert note(recorder, clock, Ended(reason="length"), finished).finish == "length (memory)"


def note_text(recorder: RequestRecorder, text: str) -> None:
    assert recorder.captured
    recorder.captured.note(TextDelta(text=text))


@pytest.fixture
def captures() -> Iterator[Switch]:
    SWITCH.set(float("inf"))
    yield SWITCH
    SWITCH.set(0)


async def entries(runner: FakeRunner, request: ChatRequest = ASKED, leave_after: int = 99) -> list[Any]:
    kept: list[Any] = []
    with serving(runner, keep=kept.append):
        async with aclosing(generation.stream(request, ANN)) as events:
            try:
                seen = 0
                async for event in events:
                    seen += isinstance(event, TextDelta)
                    if seen >= leave_after:
                        break
            except ServerError:
                pass
    return kept


def test_each_second_belongs_to_its_phase(recorder: RequestRecorder, clock: Clock) -> None:
    queue, load = Progress(phase="queued"), Progress(phase="loading")
    note(recorder, clock, queue, load, load, queue, Accepted(prompt_tokens=7), TextDelta(text="a", tokens=2))
    clock.at += 4
    recorder.end()
    entry = recorder.entry
    assert (entry.queued_s, entry.loading_s, entry.prefill_s, entry.decode_s) == (3, 2, 1, 4)
    assert (entry.prompt_tokens, entry.completion_tokens) == (7, 2)


def test_the_workers_own_figures_win(recorder: RequestRecorder, clock: Clock) -> None:
    usage = Usage(prompt_tokens=9, completion_tokens=5, cached_tokens=4)
    timings = Timings(queue_s=0.5, prefill_s=0.25, decode_s=0.125)
    text = ReasoningDelta(text="a")
    ends = (Ended(reason="stop"), Ended(reason="length", index=1))
    entry = note(
        recorder, clock, Accepted(prompt_tokens=9), text, *ends, Finished(usage=usage, timings=timings)
    )
    recorder.end()
    assert (entry.queued_s, entry.prefill_s, entry.decode_s) == (1.5, 0.25, 0.125)
    assert (entry.completion_tokens, entry.cached_tokens, entry.finish) == (5, 4, "stop, length")
    assert not entry.has_left


async def test_a_whole_request_is_one_entry() -> None:
    (entry,) = await entries(FakeRunner(prompt_tokens=7))
    assert (entry.principal_kind, entry.principal, entry.model, entry.kind) == ("user", "ann", "tiny", "chat")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.finish) == (7, 2, "stop")
    assert (entry.error, entry.has_left) == ("", False)


@pytest.mark.parametrize("error", [ContextLengthExceeded("no"), WorkerDied("gone")])
async def test_an_error_is_recorded_by_its_code(error: ServerError) -> None:
    (entry,) = await entries(FakeRunner(refuse_with=error))
    assert (entry.error, entry.has_left) == (error.code, False)


async def test_an_unexpected_error_is_recorded_by_the_code_the_client_gets() -> None:
    kept: list[RequestEntry] = []
    with pytest.raises(KeyError), recorded(ASKED, ANN, kept.append):
        raise KeyError("somebody else's class")
    assert kept[0].error == InternalError.code


@each(("request_", "kind"), STORED)
def test_a_record_has_the_kind_that_the_request_names(request_: Request, kind: str) -> None:
    kept: list[RequestEntry] = []
    with recorded(request_, ANN, kept.append):
        pass
    assert kept[0].kind == kind


async def test_a_model_that_is_not_here_is_recorded_too() -> None:
    request = ChatRequest(model="nowhere", messages=ASKED.messages)
    (entry,) = await entries(FakeRunner(), request)
    assert (entry.model, entry.error) == ("nowhere", ModelNotFound.code)


async def test_a_client_that_leaves_is_recorded_with_what_was_made_for_it() -> None:
    (entry,) = await entries(FakeRunner(("a", "b", "c")), leave_after=2)
    assert (entry.has_left, entry.completion_tokens, entry.finish, entry.error) == (True, 2, "", "")


async def test_text_is_not_kept() -> None:
    (entry,) = await entries(FakeRunner())
    assert (entry.prompt, entry.answer) == ("", "")


@pytest.mark.usefixtures("captures")
async def test_text_is_kept_during_a_capture() -> None:
    (entry,) = await entries(FakeRunner(("Hello", " there")))
    assert json.loads(entry.prompt)["messages"][0]["content"] == "a secret question"
    assert json.loads(entry.answer) == [{"answer": 0, "part": "text", "text": "Hello there"}]


def test_text_is_dropped_when_the_capture_has_ended_meanwhile(captures: Switch) -> None:
    kept: list[RequestEntry] = []
    with recorded(ASKED, ANN, kept.append) as recorder:
        note_text(recorder, "Hello")
        captures.set(0)
    assert (kept[0].prompt, kept[0].answer) == ("", "")


@pytest.mark.usefixtures("captures")
def test_captured_text_has_an_end() -> None:
    kept: list[RequestEntry] = []
    with recorded(ASKED, ANN, kept.append) as recorder:
        for _ in range(3):
            note_text(recorder, "x" * MOST_CHARACTERS)
    assert len(json.loads(kept[0].answer)[0]["text"]) == MOST_CHARACTERS


def test_why_it_waited_is_kept(recorder: RequestRecorder, clock: Clock) -> None:
    places = [Progress(phase="queued", done=done, total=5, own=own) for done, own in ((3, 0), (2, 4), (1, 1))]
    entry = note(recorder, clock, *places)
    assert (entry.queue_place, entry.own_ahead) == (3, 4)

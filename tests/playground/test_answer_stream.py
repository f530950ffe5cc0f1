from typing import Any

from django.utils import timezone

from inference.core.errors import ContextLengthExceeded, QueueFull
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from playground import answer_stream
from playground.answer_stream import AnswerState
from playground.models import Message


def answer(*noted: Event) -> AnswerState:
    made = AnswerState(Message(pk=1, role="assistant", status="answering", created_at=timezone.now()))
    for event in noted:
        made.apply(event)
    return made


def payload(*noted: Event) -> dict[str, Any]:
    return answer(*noted).payload


def test_an_event_is_one_line_named_by_its_type() -> None:
    assert answer_stream.event_frame(TextDelta(text="a\n\nb", tokens=2)) == (
        b'data: {"type":"text","text":"a\\n\\nb","index":0,"tokens":2,"logprobs":[],"ids":[]}\n\n'
    )


def test_an_answer_that_is_paused_waits_until_it_goes_on() -> None:
    paused = (TextDelta(text="Hi"), Progress(phase="paused"))
    assert payload(*paused)["waiting"]["phase"] == "paused"
    assert payload(*paused, TextDelta(text=" there"))["waiting"] is None


def test_an_answer_waits_until_it_speaks() -> None:
    assert payload(Progress(phase="loading", done=4, total=9))["waiting"] == {
        "phase": "loading",
        "done": 4,
        "total": 9,
        "cached": 0,
    }
    assert payload(Progress(phase="loading", load_phase="draft"))["waiting"]["load_phase"] == "draft"
    queued = payload(Progress(phase="queued", done=3, total=4, own=2))["waiting"]
    assert (queued["done"], queued["own"]) == (3, 2)
    assert payload(Accepted(prompt_tokens=12))["waiting"]["total"] == 12
    assert payload(Accepted(prompt_tokens=12), TextDelta(text="Hi"))["waiting"] is None


def test_text_and_thoughts_are_kept_apart() -> None:
    sent = payload(
        ReasoningDelta(text="Hm"), ReasoningDelta(text="."), TextDelta(text="Hel"), TextDelta(text="lo")
    )
    assert (sent["reasoning"], sent["content"], sent["status"]) == ("Hm.", "Hello", "answering")


def test_an_answer_thinks_while_its_reasoning_came_last() -> None:
    thought, text = ReasoningDelta(text="Hm"), TextDelta(text="Hello")
    call, end = ToolCallDelta(call=0, id="a", name="now"), Finished(usage=Usage(prompt_tokens=1))
    events = [(), (thought,), (thought, text), (thought, text, thought), (thought, call), (thought, end)]
    assert [payload(*noted)["thinking"] for noted in events] == [False, True, False, True, False, False]
    stopped = answer(thought)
    stopped.stop()
    assert stopped.payload["thinking"] is False


def test_an_answer_keeps_for_how_long_it_has_thought() -> None:
    thought, end = ReasoningDelta(text="Hm"), Finished(usage=Usage(prompt_tokens=1))
    assert payload(thought)["thought_s"] > 0
    assert payload(thought, TextDelta(text="Hi"), end)["figures"]["thought_s"] > 0
    assert "thought_s" not in payload(TextDelta(text="Hi"), end)["figures"]


def test_calls_grow_by_their_pieces() -> None:
    sent = payload(
        ToolCallDelta(call=0, id="a", name="now"),
        ToolCallDelta(call=0, text="{"),
        ToolCallDelta(call=0, text="}"),
        ToolCallDelta(call=1, id="b", name="add", text="{}"),
    )
    assert sent["calls"] == [
        {"id": "a", "name": "now", "arguments": "{}"},
        {"id": "b", "name": "add", "arguments": "{}"},
    ]


def test_the_end_brings_the_figures() -> None:
    usage = Usage(
        prompt_tokens=20,
        completion_tokens=8,
        cached_tokens=15,
        reasoning_tokens=3,
        drafted_tokens=6,
        accepted_tokens=4,
    )
    sent = payload(
        TextDelta(text="Hi"), Ended(reason="length"), Finished(usage=usage, timings=Timings(decode_s=0.5))
    )
    figures = sent["figures"]
    assert sent["status"] == "done"
    assert (figures["tokens"], figures["cached_tokens"], figures["per_second"]) == (8, 15, 16.0)
    assert (figures["drafted_tokens"], figures["accepted_tokens"]) == (6, 4)
    assert (figures["reason"], figures["reasoning_tokens"]) == ("length", 3)
    assert 0 <= figures["first_token_s"] <= figures["total_s"]


def test_likely_others_are_kept_where_they_were_asked_for() -> None:
    token = TokenLogprob(text="Hi", logprob=-0.1, bytes=(72, 105), top=())
    assert payload(TextDelta(text="Hi", logprobs=(token,)))["tokens"] == [
        {"text": "Hi", "logprob": -0.1, "top": []}
    ]


def test_a_stopped_or_failed_answer_keeps_its_text() -> None:
    stopped, failed = answer(TextDelta(text="Hi")), answer(TextDelta(text="Hi"))
    stopped.stop()
    failed.fail(QueueFull("Busy."))
    assert (stopped.payload["status"], stopped.payload["content"]) == ("stopped", "Hi")
    assert (failed.payload["status"], failed.payload["error"]) == ("failed", "Busy.")


def test_a_prompt_that_is_too_long_is_refused_in_words_for_people() -> None:
    refused = answer()
    refused.fail(ContextLengthExceeded("Its context length is 8192.", lengths=(35_104, 8192)))
    assert "has 35,104 tokens or more, and the model reads 8,192." in refused.payload["error"]
    other = answer()
    other.fail(ContextLengthExceeded("There is no memory for it."))
    assert other.payload["error"] == "There is no memory for it."

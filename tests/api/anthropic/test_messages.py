"""POST /v1/messages and its token counts through the views."""

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from inference.api.anthropic import message_writer, signature
from inference.api.anthropic.content_blocks import put_together
from inference.core.errors import (
    ContextLengthExceeded,
    PoolFull,
    QueueFull,
    RateLimited,
    ServerError,
    WorkerDied,
)
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    FinishReason,
    Progress,
    ReasoningDelta,
    TextDelta,
    Tokenized,
    ToolCallDelta,
    Usage,
)
from inference.core.requests import ChatRequest, TokenizeRequest
from tests.api.anthropic.asking import HELLO, body, error_of, events, send
from tests.api.openai.asking import lines, post
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, serving

CALL = [ToolCallDelta(call=0, id="call_1", name="now"), ToolCallDelta(call=0, text="{}")]


def runner(*made: Event, reason: FinishReason = "stop", stop: str = "", max_tokens: int = 50) -> EventRunner:
    usage = Usage(prompt_tokens=10, completion_tokens=7, cached_tokens=4, reasoning_tokens=2)
    return EventRunner(
        Accepted(prompt_tokens=10, max_tokens=max_tokens),
        Progress(phase="prefill", done=10, total=10, cached=4),
        *made,
        Ended(reason=reason, stop=stop),
        Finished(usage=usage),
    )


async def test_a_message_is_answered() -> None:
    with serving(runner(ReasoningDelta(text="Hm."), TextDelta(text="Yes."))):
        response = await send("/v1/messages?beta=true")
    answer = json.loads(response.content)
    assert answer.pop("id").startswith("msg_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": "tiny",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "mlx"},
            {"type": "text", "text": "Yes."},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 6,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 2},
            "service_tier": "standard",
        },
    }
    assert response["request-id"].startswith("req_")


async def test_the_usage_reports_that_a_budget_has_cut_the_thinking() -> None:
    usage = Usage(prompt_tokens=9, completion_tokens=6, reasoning_tokens=2, reasoning_truncated=True)
    made = (Accepted(prompt_tokens=9), TextDelta(text="Yes."), Ended(reason="stop"), Finished(usage=usage))
    details = {"thinking_tokens": 2, "reasoning_truncated": True}
    with serving(EventRunner(*made)):
        whole = json.loads((await send()).content)
        end = (await events(await send(stream=True)))[-2]
    assert whole["usage"]["output_tokens_details"] == end["usage"]["output_tokens_details"] == details


async def test_a_stream_has_anthropics_events() -> None:
    with serving(runner(TextDelta(text="Yes"), TextDelta(text="."))):
        made = await events(await send(stream=True))
    start, end = made[0]["message"], made[-2]
    assert [event["type"] for event in made] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert (start["content"], start["stop_reason"], start["usage"]["output_tokens"]) == ([], None, 0)
    for usage in (start["usage"], end["usage"]):
        assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (6, 4)
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"]["output_tokens"] == 7


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (runner(TextDelta(text="a")), ("end_turn", None)),
        (runner(TextDelta(text="a"), stop="END"), ("stop_sequence", "END")),
        (runner(*CALL, reason="tool_calls"), ("tool_use", None)),
        (runner(TextDelta(text="a"), reason="length"), ("max_tokens", None)),
        (runner(TextDelta(text="a"), reason="length", max_tokens=0), ("max_tokens", None)),
        (
            runner(TextDelta(text="a"), reason="length", max_tokens=9),
            ("model_context_window_exceeded", None),
        ),
        (runner(), ("end_turn", None)),
    ],
)
async def test_the_end_has_its_reason(made: EventRunner, expected: Any, is_streamed: bool) -> None:
    with serving(made):
        response = await send(stream=is_streamed)
        end = (await events(response))[-2]["delta"] if is_streamed else json.loads(response.content)
    assert (end["stop_reason"], end["stop_sequence"]) == expected


async def test_no_tokens_compute_the_prompt_alone() -> None:
    made = runner(TextDelta(text="a"))
    with serving(made):
        answer = json.loads((await send(max_tokens=0)).content)
    assert made.requests[0].max_tokens == 1  # type: ignore[union-attr]
    assert (answer["content"], answer["stop_reason"]) == ([], "max_tokens")


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_reasoning_comes_without_its_text_where_that_is_not_wanted(is_streamed: bool) -> None:
    thinking = {"type": "adaptive", "display": "omitted"}
    with serving(runner(ReasoningDelta(text="Hm."), TextDelta(text="Yes."))):
        response = await send(thinking=thinking, stream=is_streamed)
        made = (
            put_together(await events(response)) if is_streamed else json.loads(response.content)["content"]
        )
    assert [block.get("thinking") for block in made] == ["", None]
    assert signature.reasoning_in(made[0]["signature"]) == "Hm."


async def test_edits_of_the_context_are_answered_with_none() -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    with serving(runner()):
        answer = json.loads((await send(context_management=edits)).content)
        assert answer["context_management"] == {"applied_edits": []}
        assert "context_management" not in json.loads((await send()).content)
        streamed = await events(await send(context_management=edits, stream=True))
    assert streamed[-2]["context_management"] == {"applied_edits": []}


async def test_the_model_reports_how_it_takes_the_request() -> None:
    accepted = Accepted(
        prompt_tokens=1, answer_limit=9, noted=("reasoning_effort",), best_effort=("thinking_budget", "tools")
    )
    made = EventRunner(accepted, Ended(reason="stop"), Finished(usage=Usage(prompt_tokens=1)))
    with serving(made):
        for is_streamed in (False, True):
            response = await send(stream=is_streamed)
            assert response["x-mlx-noted"] == "output_config.effort"
            assert response["x-mlx-best-effort"] == "thinking.budget_tokens, tools"
            assert response["x-mlx-max-tokens"] == "9"


async def test_tokens_are_counted_without_a_length() -> None:
    counted = Tokenized(tokens=((1, 2, 3),), texts=("abc",), context_length=8)
    made = EventRunner(Accepted(prompt_tokens=3), counted, Finished(usage=Usage(prompt_tokens=3)))
    with serving(made):
        response = await post("/v1/messages/count_tokens", {"model": "tiny", "messages": HELLO})
    assert json.loads(response.content) == {"input_tokens": 3}
    (request,) = made.requests
    assert isinstance(request, TokenizeRequest)


async def test_a_silent_model_is_waited_for_with_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_writer, "PING_S", 0.05)
    gate = asyncio.Event()
    with serving(FakeRunner(("Hi",), load_gate=gate)):
        response = await send(stream=True)
        assert response.status_code == 200
        asyncio.get_running_loop().call_later(0.2, gate.set)
        frames = await lines(response)
    assert frames[0] == frames[1] == 'event: ping\ndata: {"type":"ping"}'
    begun = frames.index(next(frame for frame in frames if frame.startswith("event: message_start")))
    assert begun >= 2
    assert frames[-1].startswith("event: message_stop")


async def test_a_late_refusal_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_writer, "PING_S", 0.05)
    gate = asyncio.Event()
    with serving(FakeRunner(refuse_with=PoolFull("Full."), load_gate=gate)):
        response = await send(stream=True)
        gate.set()
        made = await events(response)
    (error,) = made
    assert error["type"] == "error"
    assert error["error"] == {"type": "overloaded_error", "message": "Full."}


async def test_an_error_in_a_stream_is_its_last_event() -> None:
    with serving(FakeRunner(("Hi", "!"), fail_with=WorkerDied("The model's process ended."))):
        made = await events(await send(stream=True))
    assert made[0]["type"] == "message_start"
    assert made[-1]["error"] == {"type": "api_error", "message": "The model's process ended."}
    assert made[-1]["request_id"].startswith("req_")


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "kind", "message"),
    [
        (QueueFull("Busy.", retry_after=2), 529, "overloaded_error", "Busy."),
        (RateLimited("Too many.", retry_after=2), 429, "rate_limit_error", "Too many."),
        (WorkerDied("It ended."), 500, "api_error", "It ended."),
        (ContextLengthExceeded("Long."), 400, "invalid_request_error", "Long. The context of this model is"),
        (
            ContextLengthExceeded("Long.", lengths=(900, 800)),
            400,
            "invalid_request_error",
            "prompt is too long: 900 tokens > 800 maximum. The context of this model is",
        ),
    ],
)
async def test_a_refusal_is_in_anthropics_form(
    error: ServerError, status: int, kind: str, message: str, is_streamed: bool
) -> None:
    with serving(FakeRunner(refuse_with=error)):
        response = await send(stream=is_streamed)
    assert response.status_code == status
    assert error_of(response)["type"] == kind and error_of(response)["message"].startswith(message)
    assert response.get("Retry-After") == ("2" if error.retry_after else None)


@each(
    ("path", "sent", "status", "kind"),
    [
        ("/v1/messages", b"{", 400, "invalid_request_error"),
        ("/v1/messages", {}, 400, "invalid_request_error"),
        ("/v1/messages/count_tokens", {}, 400, "invalid_request_error"),
        ("/v1/messages", body(model="none"), 404, "not_found_error"),
        ("/v1/messages/batches", {}, 404, "not_found_error"),
        ("/v1/messages/", body(), 404, "not_found_error"),
    ],
)
async def test_every_error_is_in_anthropics_form(path: str, sent: Any, status: int, kind: str) -> None:
    with serving(FakeRunner()):
        response = await post(path, sent)
    assert response.status_code == status
    assert error_of(response)["type"] == kind


async def test_another_method_or_type_is_refused_in_anthropics_form() -> None:
    response = await AsyncClient().get("/v1/messages")
    assert (response.status_code, error_of(response)["type"]) == (405, "invalid_request_error")
    response = await post("/v1/messages", b"{}", content_type="text/plain")
    assert (response.status_code, error_of(response)["type"]) == (415, "invalid_request_error")


async def test_other_dialects_keep_their_form() -> None:
    response = await post("/v1/chat/completions", {})
    assert "param" in json.loads(response.content)["error"]
    assert "request-id" not in response


INTERLEAVED = "interleaved-thinking-2025-05-14"


@each(
    ("betas", "status"),
    [
        (INTERLEAVED, 200),
        (f"claude-code-20250219, {INTERLEAVED}", 200),
        ("interleaved-thinking-2027-01-01", 200),
        ("claude-code-20250219", 400),
        ("", 400),
    ],
)
async def test_a_budget_of_a_turn_may_exceed_one_answer(betas: str, status: int) -> None:
    fields = body(max_tokens=8000, thinking={"type": "enabled", "budget_tokens": 32000})
    runner = FakeRunner()
    with serving(runner):
        response = await post("/v1/messages", fields, headers={"anthropic-beta": betas})
    assert response.status_code == status
    if status == 200:
        (request,) = runner.requests
        assert isinstance(request, ChatRequest)
        assert (request.thinking_budget, request.max_tokens) == (32000, 8000)

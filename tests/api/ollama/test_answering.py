import json
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.errors import ContextLengthExceeded, WorkerDied
from inference.core.events import (
    Accepted,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Tokenized,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from inference.core.requests import ChatRequest, TokenizeRequest
from tests.api.ollama.asking import HELLO, answering, ask, error_of, lines
from tests.each import each
from tests.fakes import EventRunner, FakeRunner, card, serving

CALLS = (
    ToolCallDelta(call=0, id="a", name="now"),
    ToolCallDelta(call=0, text='{"zone": '),
    ToolCallDelta(call=0, text='"UTC"}'),
    ToolCallDelta(call=1, id="b", name="later"),
    ToolCallDelta(call=1, text="{}"),
)
CALLED = [
    {"id": "a", "function": {"index": 0, "name": "now", "arguments": {"zone": "UTC"}}},
    {"id": "b", "function": {"index": 0, "name": "later", "arguments": {}}},
]


async def whole(endpoint: str, runner: FakeRunner, **fields: Any) -> dict[str, Any]:
    with serving(runner):
        response = await ask(endpoint, stream=False, **fields)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = json.loads(response.content)
    return found


async def streamed(endpoint: str, runner: FakeRunner, **fields: Any) -> list[dict[str, Any]]:
    with serving(runner):
        response = await ask(endpoint, **fields)
        assert response.status_code == 200, response.content
        return await lines(response)


async def test_a_chat_is_answered_whole() -> None:
    runner = answering(ReasoningDelta(text="Hm."), TextDelta(text="Hello"), TextDelta(text=" there"))
    answer = await whole("chat", runner, messages=HELLO)
    assert answer["message"] == {"role": "assistant", "content": "Hello there", "thinking": "Hm."}
    assert (answer["model"], answer["done"], answer["done_reason"]) == ("tiny", True, "stop")
    assert (answer["prompt_eval_count"], answer["eval_count"]) == (5, 2)
    assert (answer["prompt_eval_duration"], answer["eval_duration"]) == (250_000_000, 500_000_000)
    assert answer["total_duration"] >= answer["load_duration"] > 0
    assert answer["created_at"].endswith("Z")


async def test_a_stream_is_the_same_answer_in_lines() -> None:
    runner = answering(ReasoningDelta(text="Hm."), TextDelta(text="Hello"), TextDelta(text=" there"))
    *pieces, last = await streamed("chat", runner, messages=HELLO)
    answer = (await whole("chat", runner, messages=HELLO))["message"]
    for field in ("content", "thinking"):
        assert "".join(piece["message"].get(field, "") for piece in pieces) == answer[field] != ""
    assert [piece["done"] for piece in pieces] == [False] * len(pieces)
    assert (last["done"], last["done_reason"], last["message"]["content"]) == (True, "stop", "")
    assert {"total_duration", "load_duration", "eval_count", "prompt_eval_duration"} <= last.keys()


async def test_an_answer_that_is_cut_ends_with_length() -> None:
    runner = answering(TextDelta(text="Hello"), reason="length")
    assert (await whole("chat", runner, messages=HELLO))["done_reason"] == "length"


async def test_calls_come_whole_with_arguments_as_objects() -> None:
    answer = await whole("chat", answering(*CALLS, reason="tool_calls"), messages=HELLO)
    calls = answer["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == [{"zone": "UTC"}, {}]
    assert answer["done_reason"] == "stop"


async def test_each_call_of_a_stream_is_one_line() -> None:
    pieces = await streamed("chat", answering(*CALLS, reason="tool_calls"), messages=HELLO)
    calls = [call for piece in pieces for call in piece["message"].get("tool_calls", ())]
    assert calls == CALLED


@pytest.mark.parametrize(("reason", "text"), [("length", ""), ("stop", 'now({"zone)')])
async def test_a_call_that_was_cut_is_left_out_and_one_that_is_no_object_is_text(
    reason: FinishReason, text: str
) -> None:
    broken = (ToolCallDelta(call=0, id="a", name="now"), ToolCallDelta(call=0, text='{"zone'))
    answer = await whole("chat", answering(*broken, reason=reason), messages=HELLO)
    assert answer["message"] == {"role": "assistant", "content": text}
    pieces = await streamed("chat", answering(*broken, reason=reason), messages=HELLO)
    assert "".join(piece["message"]["content"] for piece in pieces) == text
    assert not any("tool_calls" in piece["message"] for piece in pieces)


async def test_a_prompt_is_answered_whole_and_streamed() -> None:
    answer = await whole("generate", answering(TextDelta(text="Hello")), prompt="Hi")
    assert answer["response"] == "Hello"
    pieces = await streamed("generate", answering(TextDelta(text="Hello"), TextDelta(text="!")), prompt="Hi")
    assert "".join(piece["response"] for piece in pieces) == "Hello!"


async def test_log_probabilities_come_with_their_tokens() -> None:
    token = TokenLogprob(text="Hi", bytes=(72, 105), logprob=-0.5)
    delta = TextDelta(
        text="Hi", logprobs=(TokenLogprob(text="Hi", bytes=(72, 105), logprob=-0.5, top=(token,)),)
    )
    entry = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}
    answer = await whole("chat", answering(delta), messages=HELLO, logprobs=True, top_logprobs=1)
    assert answer["logprobs"] == [entry | {"top_logprobs": [entry]}]


@each(
    ("endpoint", "fields"),
    [("chat", {}), ("chat", {"messages": []}), ("generate", {}), ("generate", {"prompt": ""})],
)
async def test_without_a_prompt_the_model_is_loaded(endpoint: str, fields: dict[str, Any]) -> None:
    runner = EventRunner(
        Accepted(prompt_tokens=0),
        Tokenized(tokens=((1,),), texts=("a",), context_length=8),
        Finished(usage=Usage(prompt_tokens=1)),
    )
    with serving(runner):
        response = await ask(endpoint, **fields)
    answer = json.loads(response.content)
    assert (answer["done"], answer["done_reason"]) == (True, "load")
    assert runner.loads == ["tiny"]
    assert isinstance(runner.requests[0], TokenizeRequest)


@each("keep_alive", [0, "0", "0s"])
async def test_nothing_is_unloaded(keep_alive: Any) -> None:
    with serving(FakeRunner()):
        response = await ask("generate", keep_alive=keep_alive)
        assert response.status_code == 400 and "unload" in error_of(response)
        response = await ask("generate", prompt="Hi", keep_alive=keep_alive, stream=False)
    assert response.status_code == 200 and response["x-mlx-noted"] == "keep_alive"


@pytest.mark.parametrize("model", ["tiny", "tiny:latest"])
async def test_a_model_has_its_name_with_and_without_its_tag(model: str) -> None:
    runner = FakeRunner()
    answer = await whole("chat", runner, messages=HELLO, model=model)
    (request,) = runner.requests
    assert isinstance(request, ChatRequest)
    assert (answer["model"], request.model) == (model, "tiny")


@pytest.mark.parametrize("is_stream", [True, False])
async def test_a_refusal_has_its_status_and_ollamas_shape(is_stream: bool) -> None:
    refusing = FakeRunner(refuse_with=ContextLengthExceeded("Lower max_tokens.", param="messages"))
    with serving(refusing):
        response = await ask("chat", messages=HELLO, stream=is_stream)
        assert response.status_code == 400 and error_of(response).startswith(
            "Lower options.num_predict. The context"
        )
        response = await ask("chat", messages=HELLO, model="none:latest", stream=is_stream)
        assert response.status_code == 404 and "none" in error_of(response)


async def test_a_stream_that_breaks_ends_with_an_error() -> None:
    runner = FakeRunner(("Hello",), fail_with=WorkerDied("The model's process ended."))
    *_, piece, last = await streamed("chat", runner, messages=HELLO)
    assert piece["message"]["content"] == "Hello"
    assert last == {"error": "The model's process ended."}


async def test_a_body_is_json_under_any_content_type() -> None:
    """`curl -d` names a form's."""
    body = json.dumps({"model": "tiny", "prompt": "Hi", "stream": False})
    form = "application/x-www-form-urlencoded"
    with serving(FakeRunner()):
        response = await AsyncClient().post("/ollama/api/generate", body, content_type=form)
        assert json.loads(response.content)["response"] == "Hello there"
        own = {"Origin": "http://testserver"}
        response = await AsyncClient().post("/ollama/api/generate", body, content_type=form, headers=own)
    assert response.status_code == 415  # a page of another site can send a form without asking


async def test_an_embedding_model_does_not_answer() -> None:
    with serving(FakeRunner(), cards=[card(kind="embedding")]):
        response = await ask("chat", messages=HELLO)
    assert response.status_code == 400 and "embeddings" in error_of(response)

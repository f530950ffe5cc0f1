"""Items of /v1/responses that stand for others: references, sealed reasoning, steps of hosted tools."""

import json
from typing import Any

import pytest

from inference.api.http import sealed_text
from inference.core.errors import ContextLengthExceeded
from tests.api.openai.asking import error_of
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import (
    CALLED,
    ENDED,
    NOW,
    SAID,
    THOUGHT,
    made,
    post,
    refused,
    streamed,
    telling,
)
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
HI = {"role": "user", "content": "Hi"}
SEALED = {"include": ["reasoning.encrypted_content"], "store": False}


# References.


async def test_a_reference_is_the_item_that_it_names() -> None:
    first, _ = await made(telling(*THOUGHT, *SAID, *CALLED, *ENDED), tools=[NOW])
    references = [{"type": "item_reference", "id": item["id"]} for item in first["output"]]
    results = [{"type": "function_call_output", "call_id": f"call_{name}", "output": "5"} for name in "ab"]
    _, request = await made(
        telling(*SAID, *ENDED), input=[HI, *references, *results, {"id": references[1]["id"]}]
    )
    answer = request.messages[1]
    assert (answer.reasoning, answer.content, len(answer.tool_calls)) == ("Hm.", "Hello", 2)
    assert request.messages[-1].content == "Hello"


async def test_an_item_that_was_sent_can_be_referred_to_as_well() -> None:
    second, _ = await made(telling(*SAID, *ENDED), input=[HI])
    third, request = await made(
        telling(*SAID, *ENDED), input=[{"type": "item_reference", "id": second["output"][0]["id"]}, HI]
    )
    assert [message.role for message in request.messages] == ["assistant", "user"]
    _, request = await made(telling(*SAID, *ENDED), input="more", previous_response_id=third["id"])
    assert [message.content for message in request.messages] == ["Hello", "Hi", "Hello", "more"]


async def test_a_reference_to_nothing_is_named() -> None:
    unknown = {"type": "item_reference", "id": "msg_6890b6c405028dbe72182a78e224b5d7"}
    assert await refused(input=[HI, unknown]) == (404, "input.1.id")
    received, _ = await made(telling(*SAID, *ENDED), store=False)
    assert await refused(input=[HI, unknown | {"id": received["output"][0]["id"]}]) == (404, "input.1.id")


# Reasoning.


async def test_sealed_reasoning_comes_back_to_the_model() -> None:
    received, _ = await made(telling(*THOUGHT, *SAID, *ENDED), **SEALED)
    thought, reply = received["output"]
    check_response(received)
    bare = {
        "type": "reasoning",
        "id": thought["id"],
        "summary": [],
        "encrypted_content": thought["encrypted_content"],
    }
    _, request = await made(telling(*SAID, *ENDED), input=[HI, bare, reply, HI], **SEALED)
    assert (request.messages[1].reasoning, request.messages[1].content) == ("Hm.", "Hello")
    events = await streamed(telling(*THOUGHT, *SAID, *ENDED), **SEALED)
    (done,) = [
        one["item"] for one in events if one["type"].endswith("item.done") and one["output_index"] == 0
    ]
    assert done["encrypted_content"] == thought["encrypted_content"]


async def test_no_summary_may_be_asked_for() -> None:
    received, _ = await made(telling(*THOUGHT, *SAID, *ENDED), reasoning={"summary": "none"})
    assert received["output"][0]["summary"] == [] and received["reasoning"]["summary"] is None
    check_response(received)


async def test_reasoning_is_not_sealed_unless_it_is_asked_for() -> None:
    received, _ = await made(telling(*THOUGHT, *SAID, *ENDED))
    assert "encrypted_content" not in received["output"][0]


async def test_a_seal_that_is_broken_is_refused() -> None:
    sealed = sealed_text.seal("Hm.", "reasoning")
    for value in (sealed[:-2], sealed.replace("mlx1.", "mlx1.x"), sealed_text.seal("Hm.", "compaction")):
        item = {"type": "reasoning", "summary": [], "encrypted_content": value}
        assert await refused(input=[HI, item]) == (400, "input.1.encrypted_content")


async def test_reasoning_that_another_server_sealed_is_left_out_and_listed() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABo"}
    runner = telling(*SAID, *ENDED)
    with serving(runner):
        response = await post({"input": [HI, item, {"role": "assistant", "content": "So."}, HI]})
    assert response["x-mlx-omitted"] == "input.1:reasoning"
    assert [message.reasoning for message in runner.requests[0].messages] == ["", "", ""]  # type: ignore[union-attr]


async def test_a_summary_is_read_where_there_is_nothing_else() -> None:
    item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "In short."}], "content": None}
    answer = {"role": "assistant", "content": "So."}
    _, request = await made(telling(*SAID, *ENDED), input=[HI, item, answer, HI])
    assert request.messages[1].reasoning == "In short."
    whole = item | {"content": [{"type": "reasoning_text", "text": "At length."}]}
    _, request = await made(telling(*SAID, *ENDED), input=[HI, whole, answer, HI])
    assert request.messages[1].reasoning == "At length."


@pytest.mark.parametrize(
    "asked", [{"summary": "auto"}, {"summary": "detailed"}, {"generate_summary": "concise"}]
)
async def test_a_summary_is_the_reasoning_itself(asked: dict[str, str]) -> None:
    received, _ = await made(telling(*THOUGHT, *SAID, *ENDED), reasoning=asked)
    assert received["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert received["output"][0]["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert received["reasoning"]["summary"] in asked.values()
    check_response(received)
    events = await streamed(telling(*THOUGHT, *SAID, *ENDED), reasoning=asked)
    kinds = [event["type"].removeprefix("response.") for event in events if event.get("output_index") == 0]
    assert kinds == [
        *("output_item.added", "reasoning_summary_part.added", "content_part.added"),
        *("reasoning_summary_text.delta", "reasoning_text.delta") * 2,
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "reasoning_text.done"),
        *("content_part.done", "output_item.done"),
    ]


@pytest.mark.parametrize(
    ("reasoning", "param"),
    [({"effort": "huge"}, "reasoning.effort"), ({"summary": "some"}, "reasoning.summary")],
)
async def test_a_wrong_option_of_reasoning_is_named(reasoning: dict[str, str], param: str) -> None:
    assert await refused(reasoning=reasoning) == (400, param)


# What other servers made.


@pytest.mark.parametrize(
    "kind",
    [
        *("web_search_call", "local_shell_call", "local_shell_call_output", "mcp_list_tools", "mcp_call"),
        *("file_search_call", "image_generation_call", "computer_call_output", "shell_call", "x_search_call"),
    ],
)
async def test_a_step_of_another_servers_tool_is_left_out_and_listed(kind: str) -> None:
    runner = telling(*SAID, *ENDED)
    item = {"type": kind, "id": "x", "status": "completed", "action": {"type": "search"}, "call_id": "y"}
    with serving(runner):
        response = await post({"input": [HI, item, HI]})
    assert response.status_code == 200, response.content
    assert response["x-mlx-omitted"] == f"input.1:{kind}"
    assert len(runner.requests[0].messages) == 2  # type: ignore[union-attr]


async def test_an_input_of_which_nothing_is_left_is_refused() -> None:
    assert await refused(input=[{"type": "web_search_call", "id": "x"}]) == (400, "input")


async def test_a_refusal_is_read_as_text() -> None:
    parts = [
        {"type": "output_text", "text": "No: ", "annotations": [{"type": "url_citation"}], "logprobs": []}
    ]
    item = {
        "type": "message",
        "role": "assistant",
        "content": [*parts, {"type": "refusal", "refusal": "I cannot."}],
    }
    received, request = await made(telling(*SAID, *ENDED), input=[HI, item, HI])
    assert request.messages[1].content == "No: I cannot."
    _, request = await made(telling(*SAID, *ENDED), input="And?", previous_response_id=received["id"])
    assert request.messages[1].content == "No: I cannot."
    assert await refused(input=[HI | {"content": item["content"][1:]}]) == (400, "input.0.content.0.type")


async def test_an_empty_input_is_an_empty_message() -> None:
    _, request = await made(telling(*SAID, *ENDED), input="", max_output_tokens=1)
    assert [message.content for message in request.messages] == [""]
    _, request = await made(telling(*SAID, *ENDED), input=[{"role": "assistant", "content": []}, HI])
    assert request.messages[0].content == ""


# Values that are noted.


async def test_what_asks_for_what_is_never_there_is_noted() -> None:
    body: dict[str, Any] = {
        "include": ["web_search_call.action.sources", "reasoning.encrypted_content"],
        "truncation": "auto",
        "text": {"verbosity": "low"},
        "max_tool_calls": 3,
        "client_metadata": {"x": "y"},
        "prompt_cache_retention": "24h",
        "service_tier": "priority",
        "conversation": None,
    }
    with serving(telling(*SAID, *ENDED)):
        response = await post({"input": "Hi"} | body)
    assert response.status_code == 200, response.content
    noted = set(response["x-mlx-noted"].split(", "))
    assert noted == {
        *("include.0", "truncation", "text.verbosity", "max_tool_calls", "client_metadata"),
        *("prompt_cache_retention", "service_tier"),
    }
    assert json.loads(response.content)["truncation"] == "auto"


async def test_too_long_an_input_is_refused_however_it_may_be_truncated() -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded("Too long.", param="messages"))):
        response = await post({"input": "Hi", "truncation": "auto"})
    assert (response.status_code, error_of(response)["param"]) == (400, "input")

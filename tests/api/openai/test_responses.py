"""/v1/responses: what is made of input items, and the order of events."""

import json
from typing import Any

import pytest
from msgspec import structs

from inference.core.errors import WorkerDied
from inference.core.events import Ended, Event, Finished, TextDelta
from inference.core.requests import Message, ToolCall
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import (
    CALLED,
    ENDED,
    NOW,
    SAID,
    THOUGHT,
    USAGE,
    made,
    part,
    refused,
    streamed,
    telling,
)
from tests.each import each
from tests.fakes import FakeRunner

pytestmark = pytest.mark.django_db(transaction=True)


# What is asked.


async def test_text_is_a_users_message() -> None:
    _, request = await made(telling(*SAID, *ENDED), input="Hi", instructions="Be brief.")
    assert request.messages == (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hi"),
    )


async def test_items_become_the_messages_of_a_chat() -> None:
    items = [
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "What "}, {"type": "input_text", "text": "now?"}],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Let me see."}]},
        {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}", "status": "completed"},
        {"type": "function_call", "call_id": "b", "name": "now", "arguments": '{"zone": "UTC"}'},
        {"type": "function_call_output", "call_id": "a", "output": "noon"},
        {"type": "function_call_output", "call_id": "b", "output": [part("input", "one")]},
    ]
    _, request = await made(telling(*SAID, *ENDED), input=items)
    sent = {"a": "{}", "b": '{"zone": "UTC"}'}
    calls = tuple(ToolCall(id=name, name="now", arguments=text) for name, text in sent.items())
    assert request.messages == (
        Message(role="system", content="Be kind."),
        Message(role="user", content="What now?"),
        Message(role="assistant", content="Let me see.", reasoning="Hm.", tool_calls=calls),
        Message(role="tool", content="noon", tool_call_id="a"),
        Message(role="tool", content="one", tool_call_id="b"),
    )


async def test_settings_reach_the_model() -> None:
    body = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 7,
        "tools": [NOW],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "low"},
        "metadata": {"team": "blue"},
        "safety_identifier": "ann",
        "prompt_cache_key": "k",
    }
    answer, request = await made(telling(*SAID, *ENDED), **body)
    assert (request.sampling.temperature, request.sampling.top_p, request.max_tokens) == (0.5, 0.9, 7)
    assert (request.must_call, request.may_call_several, request.follows_schemas) == (("now",), False, True)
    assert request.effort == "low"
    assert (request.user, request.cache_key, request.labels) == ("ann", "k", (("team", "blue"),))
    assert (answer["temperature"], answer["tool_choice"], answer["metadata"]) == (
        0.5,
        "required",
        {"team": "blue"},
    )


async def test_the_form_of_the_text_is_enforced() -> None:
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}, "strict": True}
    answer, request = await made(telling(*SAID, *ENDED), text={"format": form})
    assert json.loads(request.schema) == {"type": "object"}
    assert answer["text"]["format"] == form | {"description": None}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": [{"type": "compaction_trigger"}]}, "input.0.type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "input.0.content.0.image_url",
        ),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}, "input.0.call_id"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [{"type": "fuction", "name": "now"}]}, "tools.0.type"),
        ({"tools": [NOW, NOW]}, "tools.1.name"),
        ({"tools": [NOW], "tool_choice": {"type": "function", "name": "later"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        ({"truncation": "some"}, "truncation"),
        ({"text": {"format": {"type": "text", "name": "x"}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_object", "strict": True}}}, "text.format.strict"),
        (
            {"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
            "input.0.content.0.type",
        ),
        ({"background": True, "store": False}, "background"),
        ({"include": ["message.output_text.tokens"]}, "include.0"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"ignore_eos": True, "text": {"format": {"type": "json_object"}}}, "ignore_eos"),
        ({"ignore_eos": True, "tools": [NOW], "tool_choice": "required"}, "ignore_eos"),
        ({"ignore_eos": True, "tools": [NOW | {"strict": True}]}, "ignore_eos"),
        ({"messages": []}, "messages"),
        ({"stream_options": {}}, "stream_options"),
    ],
)
async def test_what_it_does_not_do_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    assert await refused(**body) == (400, param)


# What is answered.


async def test_a_whole_response_has_its_items_and_usage() -> None:
    answer, _ = await made(telling(*THOUGHT, *SAID, *ENDED))
    thought, message = answer["output"]
    assert (answer["object"], answer["status"], answer["error"]) == ("response", "completed", None)
    assert (thought["type"], thought["content"]) == ("reasoning", [{"type": "reasoning_text", "text": "Hm."}])
    assert (message["type"], message["role"], message["status"]) == ("message", "assistant", "completed")
    assert message["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]
    assert answer["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }


async def test_the_usage_reports_that_a_budget_has_cut_the_reasoning() -> None:
    usage = structs.replace(USAGE, reasoning_truncated=True)
    received, _ = await made(telling(*THOUGHT, *SAID, Ended(reason="stop"), Finished(usage=usage)))
    details = {"reasoning_tokens": 2, "reasoning_truncated": True}
    assert received["usage"]["output_tokens_details"] == details


async def test_calls_are_items_of_their_own() -> None:
    answer, _ = await made(telling(*CALLED, Ended(reason="tool_calls"), ENDED[1]), tools=[NOW])
    assert [(one["type"], one["call_id"], one["name"], one["arguments"]) for one in answer["output"]] == [
        ("function_call", "call_a", "now", "{}"),
        ("function_call", "call_b", "add", '{"a": 1}'),
    ]


async def test_an_answer_cut_short_is_incomplete() -> None:
    answer, _ = await made(telling(*SAID, Ended(reason="length"), ENDED[1]))
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert answer["output"][0]["status"] == "incomplete"


async def test_a_call_that_is_cut_before_it_is_one_makes_no_item() -> None:
    dropped = TextDelta(text="", tokens=3)
    answer, _ = await made(telling(dropped, Ended(reason="length"), ENDED[1]))
    assert (answer["status"], answer["output"]) == ("incomplete", [])
    behind, _ = await made(telling(*CALLED, dropped, Ended(reason="length"), ENDED[1]), tools=[NOW])
    assert [item["type"] for item in behind["output"]] == ["function_call", "function_call"]


@each("thought", [[], THOUGHT])
async def test_an_answer_without_text_is_a_message_all_the_same(thought: list[Event]) -> None:
    answer, _ = await made(telling(*thought, *ENDED))
    (message,) = answer["output"][bool(thought) :]
    assert (message["type"], message["status"]) == ("message", "completed")
    assert message["content"] == [{"type": "output_text", "text": "", "annotations": [], "logprobs": []}]
    check_response(answer)
    kinds = [event["type"].removeprefix("response.") for event in await streamed(telling(*thought, *ENDED))]
    item = ("output_item.added", "content_part.added", "output_text.done", "content_part.done")
    assert kinds[-6:] == [*item, "output_item.done", "completed"]
    cut, _ = await made(telling(*thought, Ended(reason="length"), ENDED[1]))
    assert [one["type"] for one in cut["output"]] == ["reasoning"] * bool(thought)
    after, _ = await made(telling(*SAID, *ENDED), previous_response_id=answer["id"])
    assert after["status"] == "completed"


async def test_the_events_of_a_stream_come_in_order() -> None:
    events = await streamed(telling(*THOUGHT, *SAID, *ENDED))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    item = ("output_item.added", "content_part.added")
    done = ("content_part.done", "output_item.done")
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress"),
        *(*item, "reasoning_text.delta", "reasoning_text.delta", "reasoning_text.done", *done),
        *(*item, "output_text.delta", "output_text.delta", "output_text.done", *done),
        "completed",
    ]


async def test_a_streamed_call_comes_in_pieces() -> None:
    events = await streamed(telling(*CALLED, Ended(reason="tool_calls"), ENDED[1]), tools=[NOW])
    second = [event for event in events if event.get("output_index") == 1]
    assert [event["type"].removeprefix("response.") for event in second] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert (
        "".join(event["delta"] for event in second if "delta" in event)
        == second[3]["arguments"]
        == '{"a": 1}'
    )


def lasting(response: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one response to the next."""
    output = [{name: value for name, value in item.items() if name != "id"} for item in response["output"]]
    return {**response, "id": "", "created_at": 0, "completed_at": 0, "output": output}


@pytest.mark.parametrize(
    "events", [SAID, [*THOUGHT, *SAID], CALLED, [*SAID, *CALLED], [*THOUGHT, *CALLED], []]
)
async def test_a_stream_ends_with_what_comes_whole(events: list[Event]) -> None:
    whole, _ = await made(telling(*events, *ENDED))
    answer = await streamed(telling(*events, *ENDED))
    last = answer[-1]["response"]
    assert lasting(last) == lasting(whole)
    assert [event["item"] for event in answer if event["type"] == "response.output_item.done"] == last[
        "output"
    ]


async def test_a_stream_that_breaks_ends_in_failed() -> None:
    events = await streamed(
        FakeRunner(["Hel"], fail_with=WorkerDied("The model's process ended; ask again."))
    )
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {
        "code": "worker_died",
        "message": "The model's process ended; ask again.",
    }

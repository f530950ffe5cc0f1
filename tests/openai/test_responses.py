"""/v1/responses: what is made of input items, the order of events, and what is kept for whom."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from inference.errors import WorkerDied
from inference.models import StoredResponse
from inference.requests import ChatRequest, Message, ToolCall
from inference.stored import Stored
from inference.types import (
    Accepted,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from tests.fakes import EventRunner, FakeRunner, serving
from tests.openai.asking import error_of

pytestmark = pytest.mark.django_db(transaction=True)
USAGE = Usage(prompt_tokens=9, completion_tokens=6, cached_tokens=4, reasoning_tokens=2)
ENDED: list[Event] = [Ended(reason="stop"), Finished(usage=USAGE)]
SAID: list[Event] = [TextDelta(text="Hel"), TextDelta(text="lo")]
THOUGHT: list[Event] = [ReasoningDelta(text="Hm"), ReasoningDelta(text=".")]
CALLED: list[Event] = [
    ToolCallDelta(call=0, id="call_a", name="now"),
    ToolCallDelta(call=0, text="{}"),
    ToolCallDelta(call=1, id="call_b", name="add", text='{"a":'),
    ToolCallDelta(call=1, text=" 1}"),
]
PICTURE = {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}
NOW = {"type": "function", "name": "now"}


def part(kind: str, text: str) -> dict[str, str]:
    return {"type": f"{kind}_text", "text": text}


def telling(*events: Event) -> EventRunner:
    return EventRunner(Accepted(prompt_tokens=9), *events)


async def post(body: dict[str, Any]) -> Any:
    sent = json.dumps({"model": "tiny"} | body)
    return await AsyncClient().post("/v1/responses", sent, content_type="application/json")


async def made(runner: FakeRunner, **body: Any) -> tuple[dict[str, Any], ChatRequest]:
    """The response to a body, and what the model was asked."""
    with serving(runner):
        response = await post({"input": "Hi"} | body)
    assert response.status_code == 200, response.content
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest)
    return json.loads(response.content), request


async def streamed(runner: FakeRunner, **body: Any) -> list[dict[str, Any]]:
    with serving(runner):
        response = await post({"input": "Hi", "stream": True} | body)
        assert response.status_code == 200
        text = b"".join([part async for part in response.streaming_content]).decode()
    frames = [frame.split("\n") for frame in text.split("\n\n") if frame.startswith("event: ")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in frames]
    assert [name.removeprefix("event: ") for name, _ in frames] == [event["type"] for event in events]
    return events


async def refused(**body: Any) -> tuple[int, str | None]:
    with serving(FakeRunner()):
        response = await post({"input": "Hi"} | body)
    return response.status_code, error_of(response)["param"]


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
        {"type": "function_call", "call_id": "a", "name": "now", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "noon"},
        {"type": "function_call_output", "call_id": "b", "output": [part("input", "one")]},
    ]
    _, request = await made(telling(*SAID, *ENDED), input=items)
    calls = tuple(ToolCall(id=name, name="now", arguments="{}") for name in "ab")
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
    told, request = await made(telling(*SAID, *ENDED), **body)
    assert (request.sampling.temperature, request.sampling.top_p, request.max_tokens) == (0.5, 0.9, 7)
    assert (request.must_call, request.may_call_several, request.follows_schemas) == (("now",), False, True)
    assert request.template_options == (("reasoning_effort", "low"),)
    assert (request.user, request.cache_key, request.labels) == ("ann", "k", (("team", "blue"),))
    assert (told["temperature"], told["tool_choice"], told["metadata"]) == (0.5, "required", {"team": "blue"})


async def test_the_form_of_the_text_is_enforced() -> None:
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}, "strict": True}
    told, request = await made(telling(*SAID, *ENDED), text={"format": form})
    assert json.loads(request.schema) == {"type": "object"}
    assert told["text"]["format"] == form


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "input.0.content.0.image_url",
        ),
        ({"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}, "input.0.call_id"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"tools": [NOW, NOW]}, "tools.1.name"),
        ({"tools": [NOW], "tool_choice": {"type": "function", "name": "later"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        ({"truncation": "auto"}, "truncation"),
        ({"text": {"format": {"type": "text", "name": "x"}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_object", "strict": True}}}, "text.format.strict"),
        (
            {"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
            "input.0.content.0.type",
        ),
        ({"background": True}, "background"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"conversation": "x"}, "conversation"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"messages": []}, "messages"),
        ({"stream_options": {}}, "stream_options"),
    ],
)
async def test_what_it_does_not_do_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    assert await refused(**body) == (400, param)


# What is answered.


async def test_a_whole_response_has_its_items_and_usage() -> None:
    told, _ = await made(telling(*THOUGHT, *SAID, *ENDED))
    thought, said = told["output"]
    assert (told["object"], told["status"], told["error"]) == ("response", "completed", None)
    assert (thought["type"], thought["content"]) == ("reasoning", [{"type": "reasoning_text", "text": "Hm."}])
    assert (said["type"], said["role"], said["status"]) == ("message", "assistant", "completed")
    assert said["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]
    assert told["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }


async def test_calls_are_items_of_their_own() -> None:
    told, _ = await made(telling(*CALLED, Ended(reason="tool_calls"), ENDED[1]), tools=[NOW])
    assert [(one["type"], one["call_id"], one["name"], one["arguments"]) for one in told["output"]] == [
        ("function_call", "call_a", "now", "{}"),
        ("function_call", "call_b", "add", '{"a": 1}'),
    ]


async def test_an_answer_cut_short_is_incomplete() -> None:
    told, _ = await made(telling(*SAID, Ended(reason="length"), ENDED[1]))
    assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert told["output"][0]["status"] == "incomplete"


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
    return {**response, "id": "", "created_at": 0, "output": output}


@pytest.mark.parametrize(
    "events", [SAID, [*THOUGHT, *SAID], CALLED, [*SAID, *CALLED], [*THOUGHT, *CALLED], []]
)
async def test_a_stream_ends_with_what_comes_whole(events: list[Event]) -> None:
    whole, _ = await made(telling(*events, *ENDED))
    told = await streamed(telling(*events, *ENDED))
    last = told[-1]["response"]
    assert lasting(last) == lasting(whole)
    assert [event["item"] for event in told if event["type"] == "response.output_item.done"] == last["output"]


async def test_a_stream_that_breaks_ends_in_failed() -> None:
    events = await streamed(
        FakeRunner(["Hel"], fail_with=WorkerDied("The model's process ended; ask again."))
    )
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {
        "code": "worker_died",
        "message": "The model's process ended; ask again.",
    }


# What is kept.


async def test_a_conversation_goes_on_from_a_stored_response() -> None:
    first, _ = await made(telling(*THOUGHT, *SAID, *ENDED), input="one", instructions="Be brief.")
    second, request = await made(telling(*SAID, *ENDED), input="two", previous_response_id=first["id"])
    assert request.messages == (
        Message(role="user", content="one"),
        Message(role="assistant", content="Hello", reasoning="Hm."),
        Message(role="user", content="two"),
    )
    _, third = await made(telling(*SAID, *ENDED), input="three", previous_response_id=second["id"])
    assert [message.content for message in third.messages] == ["one", "Hello", "two", "Hello", "three"]


async def test_a_results_call_may_be_in_a_stored_response() -> None:
    first, _ = await made(telling(*CALLED, *ENDED), tools=[NOW])
    results = [
        {"type": "function_call_output", "call_id": name, "output": "5"} for name in ("call_a", "call_b")
    ]
    _, request = await made(telling(*SAID, *ENDED), input=results, previous_response_id=first["id"])
    assert [message.role for message in request.messages] == ["user", "assistant", "tool", "tool"]


async def test_a_streamed_response_is_kept_before_it_is_complete() -> None:
    events = await streamed(telling(*SAID, *ENDED))
    last = events[-1]["response"]
    kept = json.loads((await AsyncClient().get(f"/v1/responses/{last['id']}")).content)
    assert kept == last


async def test_a_response_is_shown_listed_and_forgotten() -> None:
    told, _ = await made(telling(*SAID, *ENDED), input=[{"role": "user", "content": text} for text in "abc"])
    client, address = AsyncClient(), f"/v1/responses/{told['id']}"
    assert json.loads((await client.get(address)).content) == told
    listed = json.loads((await client.get(f"{address}/input_items?limit=2")).content)
    assert [item["content"][0]["text"] for item in listed["data"]] == ["c", "b"]
    assert listed["has_more"] and listed["last_id"] == listed["data"][1]["id"]
    rest = json.loads((await client.get(f"{address}/input_items?after={listed['last_id']}")).content)
    assert [item["content"][0]["text"] for item in rest["data"]] == ["a"] and not rest["has_more"]
    assert json.loads((await client.delete(address)).content)["deleted"]
    assert (await client.get(address)).status_code == 404
    assert await refused(previous_response_id=told["id"]) == (404, "previous_response_id")


@pytest.mark.parametrize(
    ("query", "param"),
    [("order=up", "order"), ("limit=0", "limit"), ("limit=x", "limit"), ("after=x", "after")],
)
async def test_a_wrong_page_is_refused(query: str, param: str) -> None:
    told, _ = await made(telling(*SAID, *ENDED))
    response = await AsyncClient().get(f"/v1/responses/{told['id']}/input_items?{query}")
    assert (response.status_code, error_of(response)["param"]) == (400, param)


@pytest.mark.parametrize(
    "query", ["limit=000001" + "9" * 5000, "limit=000100000", "before=x", "limti=1", "include=x"]
)
async def test_no_query_breaks_the_list_or_is_ignored(query: str) -> None:
    told, _ = await made(telling(*SAID, *ENDED))
    address = f"/v1/responses/{told['id']}"
    assert (await AsyncClient().get(f"{address}/input_items?{query}")).status_code == 400
    assert (await AsyncClient().get(f"{address}?stream=true")).status_code == 400


async def test_thoughts_stay_with_the_answer_that_had_them() -> None:
    cut, _ = await made(telling(*THOUGHT, Ended(reason="length"), ENDED[1]))
    _, request = await made(telling(*SAID, *ENDED), input="two", previous_response_id=cut["id"])
    assert [(one.role, one.content, one.reasoning) for one in request.messages] == [
        ("user", "Hi", ""),
        ("assistant", "", "Hm."),
        ("user", "two", ""),
    ]
    both = [*SAID, *THOUGHT, *CALLED]
    called, _ = await made(telling(*both, *ENDED), tools=[NOW])
    results = [
        {"type": "function_call_output", "call_id": name, "output": "5"} for name in ("call_a", "call_b")
    ]
    _, request = await made(telling(*SAID, *ENDED), input=results, previous_response_id=called["id"])
    answer = request.messages[1]
    assert (answer.content, answer.reasoning, len(answer.tool_calls)) == ("Hello", "Hm.", 2)


async def test_a_chain_is_never_cut_in_silence() -> None:
    first, _ = await made(telling(*SAID, *ENDED))

    def lengthen() -> str:
        kept = StoredResponse.objects.get()
        rows = [
            StoredResponse(
                id=f"resp_{n}", owner=kept.owner, previous=f"resp_{n - 1}" if n else kept.id, body=kept.body
            )
            for n in range(1001)
        ]
        StoredResponse.objects.bulk_create(rows)
        return rows[-1].id

    last = await sync_to_async(lengthen)()
    assert await refused(previous_response_id=last) == (400, "previous_response_id")


async def test_a_database_that_fails_is_told_at_the_end_of_the_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: Stored, *facts: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Stored, "keep", full)
    events = await streamed(telling(*SAID, *ENDED))
    assert events[-1]["type"] == "response.failed" and "disk" not in json.dumps(events[-1])


async def test_what_is_not_to_be_stored_is_not() -> None:
    told, _ = await made(telling(*SAID, *ENDED), store=False)
    assert (await AsyncClient().get(f"/v1/responses/{told['id']}")).status_code == 404
    assert await sync_to_async(StoredResponse.objects.count)() == 0


async def test_what_failed_is_not_stored() -> None:
    await streamed(FakeRunner(["Hel"], fail_with=WorkerDied("Ended.")))
    assert await sync_to_async(StoredResponse.objects.count)() == 0


async def test_a_response_is_its_askers_alone() -> None:
    told, _ = await made(telling(*SAID, *ENDED))
    await sync_to_async(StoredResponse.objects.update)(owner="user:somebody")
    for method in ("get", "delete"):
        response = await getattr(AsyncClient(), method)(f"/v1/responses/{told['id']}")
        assert response.status_code == 404
    assert await refused(previous_response_id=told["id"]) == (404, "previous_response_id")

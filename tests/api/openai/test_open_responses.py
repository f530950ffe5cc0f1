"""Every response and every event has all that Open Responses requires, with the values that were used."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from hypothesis import given, settings

from inference.core.errors import QueueFull, WorkerDied
from inference.core.events import Accepted, Ended, Event
from inference.core.requests import NEUTRAL, Sampling
from tests.api.openai.open_response_events import check_stream
from tests.api.openai.open_response_items import check_item
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import CALLED, ENDED, NOW, SAID, THOUGHT, made, post, telling
from tests.api.openai.test_streamed_is_whole import answers
from tests.fakes import EventRunner, FakeRunner, card, serving
from tests.nightly import IS_NIGHTLY

pytestmark = pytest.mark.django_db(transaction=True)
CUT: list[Event] = [Ended(reason="length"), ENDED[1]]
SCHEMA = {"type": "json_schema", "name": "x", "schema": {"type": "object"}}
NAMED = {"type": "function", "name": "now"}
BODIES: list[dict[str, Any]] = [
    {},
    {"instructions": "Be brief.", "metadata": {"a": "b"}, "user": "ann", "max_output_tokens": 5},
    {"tools": [NOW], "tool_choice": NAMED, "parallel_tool_calls": False},
    {"tools": [NOW | {"description": "Tells it.", "parameters": {"type": "object"}, "strict": True}]},
    {"text": {"format": SCHEMA}},
    {"text": {"format": {"type": "json_object"}}, "reasoning": {"effort": "low"}},
    {"temperature": 0, "top_p": 1, "presence_penalty": 1, "frequency_penalty": -1},
    {"safety_identifier": "ann", "prompt_cache_key": "k", "store": False, "service_tier": "auto"},
]


async def frames(runner: FakeRunner, **body: Any) -> str:
    with serving(runner):
        response = await post({"input": "Hi", "stream": True} | body)
        assert response.status_code == 200
        return b"".join([part async for part in response.streaming_content]).decode()


@pytest.mark.parametrize("body", BODIES)
async def test_a_response_has_every_field_whatever_was_asked(body: dict[str, Any]) -> None:
    answer, _ = await made(telling(*SAID, *ENDED), **body)
    assert check_response(answer).status == "completed"


@pytest.mark.parametrize("body", BODIES)
async def test_every_event_has_every_field_whatever_was_asked(body: dict[str, Any]) -> None:
    events = check_stream(await frames(telling(*SAID, *ENDED), **body))
    assert [one["type"] for one in events if "response" in one] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


@pytest.mark.parametrize("events", [[*THOUGHT, *SAID], CALLED, [*SAID, *CALLED], THOUGHT, SAID[:1], []])
@pytest.mark.parametrize(("end", "status"), [(ENDED, "completed"), (CUT, "incomplete")])
async def test_answers_of_every_make_have_it(events: list[Event], end: list[Event], status: str) -> None:
    runner = telling(*events, *end)
    answer, _ = await made(runner, tools=[NOW])
    assert check_response(answer).status == status
    streamed = check_stream(await frames(runner, tools=[NOW]))
    assert streamed[-1]["type"] == f"response.{status}"


@given(events=answers(most=1))
@settings(max_examples=60 if IS_NIGHTLY else 25, deadline=None)
def test_any_answer_has_it_streamed_and_whole(events: list[Event]) -> None:
    answer, _ = async_to_sync(made)(EventRunner(*events), store=False)
    check_response(answer)
    check_stream(async_to_sync(frames)(EventRunner(*events), store=False))


async def test_one_that_fails_in_its_stream_has_it() -> None:
    text = await frames(FakeRunner(["Hel"], fail_with=WorkerDied("The process ended.")))
    failed = check_stream(text)[-1]
    assert (failed["type"], failed["response"]["output"][0]["status"]) == ("response.failed", "incomplete")


async def test_what_is_refused_before_the_stream_is_no_stream() -> None:
    with serving(FakeRunner(refuse_with=QueueFull("Busy.", retry_after=1))):
        response = await post({"input": "Hi", "stream": True})
    assert (response.status_code, response["Content-Type"]) == (429, "application/json")


async def test_a_stored_one_has_it_and_so_have_its_items() -> None:
    first, _ = await made(telling(*THOUGHT, *SAID, *CALLED, *ENDED), tools=[NOW])
    sent: list[Any] = [
        {"role": "developer", "content": "Be kind."},
        {"role": "assistant", "phase": "commentary", "content": "Hm."},
        *first["output"],
        {"type": "function_call_output", "call_id": "call_a", "output": "noon"},
        {"role": "user", "content": [{"type": "input_text", "text": "And?"}]},
    ]
    answer, _ = await made(telling(*SAID, *ENDED), input=sent)
    client, address = AsyncClient(), f"/v1/responses/{answer['id']}"
    assert check_response(json.loads((await client.get(address)).content)).id == answer["id"]
    items = json.loads((await client.get(f"{address}/input_items?order=asc")).content)["data"]
    assert [item["type"] for item in items[2:5]] == [item["type"] for item in first["output"][:3]]
    assert items[1]["phase"] == "commentary"
    for item in items:
        check_item(item)


# The values that were used.


async def test_a_request_s_own_values_are_shown() -> None:
    wishes = {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 0.25, "frequency_penalty": -0.5}
    answer, _ = await made(telling(*SAID, *ENDED), **wishes)
    assert {name: answer[name] for name in wishes} == wishes


async def test_what_nobody_set_is_what_the_sampler_takes() -> None:
    answer, _ = await made(telling(*SAID, *ENDED))
    assert (answer["temperature"], answer["top_p"], answer["presence_penalty"]) == (1.0, 1.0, 0.0)


async def test_the_operators_choice_is_shown_where_the_request_leaves_it_open() -> None:
    with serving(FakeRunner(), cards=[card(sampling=Sampling(temperature=0.3, top_p=0.8))]):
        response = await post({"input": "Hi", "top_p": 0.7})
    answer = json.loads(response.content)
    assert (answer["temperature"], answer["top_p"]) == (0.3, 0.7)


async def test_what_the_model_drew_with_is_shown_in_every_event() -> None:
    drawn = Sampling(temperature=0.6, top_p=0.95).over(NEUTRAL)
    runner = EventRunner(Accepted(prompt_tokens=1, sampling=drawn), *SAID, *ENDED)
    events = [one["response"] for one in check_stream(await frames(runner)) if "response" in one]
    assert [(one["temperature"], one["top_p"]) for one in events] == [(0.6, 0.95)] * 3


async def test_the_caller_and_the_tier_are_shown() -> None:
    sent = {"safety_identifier": "ann", "prompt_cache_key": "k"}
    answer, _ = await made(telling(*SAID, *ENDED), **sent, service_tier="auto")
    assert {name: answer[name] for name in sent} == sent
    assert (answer["service_tier"], answer["max_tool_calls"], answer["top_logprobs"]) == ("default", None, 0)


async def test_it_is_completed_when_it_is_complete_and_not_before() -> None:
    events = [one["response"] for one in check_stream(await frames(telling(*SAID, *ENDED)))[:2]]
    answer, _ = await made(telling(*SAID, *ENDED))
    assert [one["completed_at"] for one in events] == [None, None]
    assert answer["completed_at"] >= answer["created_at"]

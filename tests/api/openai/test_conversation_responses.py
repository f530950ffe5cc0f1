"""Responses that are made in a conversation: its items come first, and theirs are added to it."""

import asyncio
import json
from typing import Any

import pytest
from django.test import AsyncClient

from inference.core.errors import QueueFull, WorkerDied
from inference.core.events import Accepted, Ended
from inference.core.requests import Message
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
from tests.api.openai.test_conversations import USER, begun, call
from tests.fakes import EventRunner, FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)


async def queued(conversation: str) -> str:
    """The id of a response in the background."""
    response = await post({"input": "a", "conversation": conversation, "background": True})
    return str(json.loads(response.content)["id"])


async def texts(conversation: str) -> list[str]:
    listed = (await call("get", f"/{conversation}/items?order=asc"))[1]["data"]
    return [item["content"][0]["text"] if "content" in item else item["type"] for item in listed]


@pytest.mark.parametrize("form", [str, lambda name: {"id": name}])
async def test_its_items_come_first_and_the_text_is_added(form: Any) -> None:
    conversation = await begun(items=[USER, {"role": "assistant", "content": "two"}])
    chosen = form(conversation)
    answer, request = await made(telling(*THOUGHT, *SAID, *ENDED), input="three", conversation=chosen)
    assert [message.content for message in request.messages] == ["one", "two", "three"]
    assert answer["conversation"] == {"id": conversation} and answer["previous_response_id"] is None
    assert check_response(answer).status == "completed"
    kept = (await AsyncClient().get(f"/v1/responses/{answer['id']}")).content
    assert json.loads(kept) == answer
    _, request = await made(
        telling(*SAID, *ENDED), input="four", conversation=chosen, instructions="Be brief."
    )
    assert request.messages[-2:] == (
        Message(role="assistant", content="Hello", reasoning="Hm."),
        Message(role="user", content="four"),
    )
    assert await texts(conversation) == ["one", "two", "three", "Hm.", "Hello", "four", "Hello"]
    items = (await call("get", f"/{conversation}/items"))[1]["data"]
    given = json.loads((await AsyncClient().get(f"/v1/responses/{answer['id']}/input_items")).content)["data"]
    assert {item["id"] for item in (*given, *answer["output"])} <= {item["id"] for item in items}


async def test_a_stream_is_added_before_it_ends() -> None:
    conversation = await begun()
    events = await streamed(telling(*SAID, *ENDED), conversation=conversation)
    assert events[0]["response"]["conversation"] == {"id": conversation}
    assert await texts(conversation) == ["Hi", "Hello"]


async def test_a_call_of_it_gets_its_result() -> None:
    conversation = await begun()
    await made(telling(*CALLED, *ENDED), tools=[NOW], conversation=conversation)
    results = [
        {"type": "function_call_output", "call_id": name, "output": "5"} for name in ("call_a", "call_b")
    ]
    _, request = await made(telling(*SAID, *ENDED), input=results, conversation=conversation)
    assert [message.role for message in request.messages] == ["user", "assistant", "tool", "tool"]


@pytest.mark.parametrize("body", [{}, {"input": None}, {"input": []}])
async def test_it_may_be_all_of_the_input(body: dict[str, Any]) -> None:
    conversation = await begun(items=[USER])
    with serving(runner := telling(*SAID, *ENDED)):
        response = await post({"conversation": conversation} | body)
    assert response.status_code == 200, response.content
    assert [message.content for message in runner.requests[-1].messages] == ["one"]  # type: ignore[union-attr]
    assert await texts(conversation) == ["one", "Hello"]


async def test_without_either_there_must_be_input() -> None:
    bodies: list[dict[str, Any]] = [{"input": None}, {"input": []}]
    for body in bodies:
        assert await refused(**body) == (400, "input")
    empty = await begun()
    assert await refused(input=None, conversation=empty) == (400, "input")


async def test_it_is_kept_where_the_response_is_not() -> None:
    conversation = await begun()
    answer, _ = await made(telling(*SAID, *ENDED), conversation=conversation, store=False)
    assert (await AsyncClient().get(f"/v1/responses/{answer['id']}")).status_code == 404
    assert await texts(conversation) == ["Hi", "Hello"]


async def test_what_was_cut_is_added_and_what_failed_is_not() -> None:
    conversation = await begun()
    await streamed(FakeRunner(["Hel"], fail_with=WorkerDied("Ended.")), conversation=conversation)
    assert await texts(conversation) == []
    answer, _ = await made(telling(*SAID, Ended(reason="length"), ENDED[1]), conversation=conversation)
    assert answer["status"] == "incomplete" and await texts(conversation) == ["Hi", "Hello"]


async def test_beside_a_previous_response_it_is_refused() -> None:
    answer, _ = await made(telling(*SAID, *ENDED))
    conversation = await begun()
    with serving(FakeRunner()):
        response = await post(
            {"input": "Hi", "conversation": conversation, "previous_response_id": answer["id"]}
        )
    error = error_of(response)
    assert (response.status_code, error["code"]) == (400, "mutually_exclusive_parameters")
    assert error["param"] == "conversation" and "previous_response_id" in error["message"]


async def test_a_deleted_one_is_not_found() -> None:
    conversation = await begun()
    await call("delete", f"/{conversation}")
    for form in (conversation, {"id": conversation}, "conv_other"):
        assert await refused(conversation=form) == (404, "conversation")
    assert await refused(conversation={}) == (400, "conversation.id")


async def test_one_response_at_a_time_is_made_in_it() -> None:
    conversation, other = await begun(items=[USER]), await begun()
    hold = asyncio.Event()
    runner = FakeRunner(hold=hold)
    with serving(runner):
        first = asyncio.create_task(post({"input": "Hi", "conversation": conversation}))
        while not runner.requests:
            await asyncio.sleep(0.01)
        second = await post({"input": "Hi", "conversation": conversation})
        error = error_of(second)
        assert (second.status_code, error["code"], error["param"]) == (
            400,
            "conversation_locked",
            "conversation",
        )
        added = await call("post", f"/{conversation}/items", items=[USER])
        deleted = await call("delete", f"/{conversation}")
        assert [status for status, _ in (added, deleted)] == [400, 400]
        assert (await call("get", f"/{conversation}/items"))[0] == 200
        apart = asyncio.create_task(post({"input": "Hi", "conversation": other}))
        hold.set()
        assert [(await one).status_code for one in (first, apart)] == [200, 200]
        assert (await post({"input": "Hi", "conversation": conversation})).status_code == 200
    assert await texts(conversation) == ["one", "Hi", "Hello there", "Hi", "Hello there"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_response_holds_nothing(stream: bool) -> None:
    conversation = await begun()
    with serving(FakeRunner(refuse_with=QueueFull("Busy.", retry_after=1))):
        response = await post({"input": "Hi", "conversation": conversation, "stream": stream})
    assert response.status_code == 429
    await streamed(FakeRunner(["Hel"], fail_with=WorkerDied("Ended.")), conversation=conversation)
    await made(telling(*SAID, *ENDED), conversation=conversation)


async def test_one_in_the_background_holds_it_until_it_has_ended() -> None:
    conversation = await begun()
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)):
        first = await queued(conversation)
        assert error_of(await post({"input": "b", "conversation": conversation}))["code"] == (
            "conversation_locked"
        )
        hold.set()
        for _ in range(200):
            shown = json.loads((await AsyncClient().get(f"/v1/responses/{first}")).content)
            if shown["status"] == "completed":
                break
            await asyncio.sleep(0.01)
        assert await texts(conversation) == ["a", "Hello there"]
        hold.clear()
        other = await queued(conversation)
        await AsyncClient().post(f"/v1/responses/{other}/cancel")
        hold.set()
        assert (await post({"input": "d", "conversation": conversation})).status_code == 200
    assert await texts(conversation) == ["a", "Hello there", "d", "Hello there"]


async def test_its_tokens_are_counted_with_the_input() -> None:
    from tests.api.openai.asking import post as ask
    from tests.api.openai.test_compaction import COUNTED

    conversation = await begun(items=[USER])
    with serving(COUNTED):
        body = {"model": "tiny", "input": "two", "conversation": conversation}
        response = await ask("/v1/responses/input_tokens", body)
    assert response.status_code == 200
    assert [one.content for one in COUNTED.requests[-1].of.messages] == ["one", "two"]  # type: ignore[union-attr]
    assert await texts(conversation) == ["one"]


async def test_an_item_without_its_call_is_named_by_the_conversation() -> None:
    result = {"type": "function_call_output", "call_id": "a", "output": "noon"}
    conversation = await begun(items=[result])
    with serving(EventRunner(Accepted(prompt_tokens=1))):
        response = await post({"input": "Hi", "conversation": conversation})
    assert (response.status_code, error_of(response)["param"]) == (400, "conversation")

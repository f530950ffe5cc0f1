"""Responses in the background: polled, followed, cancelled, and in a known state whatever happens."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from inference.api.http import keep_alive
from inference.api.openai.responses import background_runs
from inference.core.errors import ContextLengthExceeded, WorkerDied
from inference.models import StoredResponse
from tests.api.openai.asking import error_of
from tests.api.openai.open_response_events import check_stream
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import ENDED, SAID, THOUGHT, made, post, refused, telling
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"input": "Hi", "background": True}


async def got(path: str, method: str = "get") -> Any:
    response = await getattr(AsyncClient(), method)(f"/v1/responses/{path}")
    return json.loads(response.content)


async def ended(response_id: str) -> dict[str, Any]:
    """The response once it has ended; it is polled as clients do."""
    for _ in range(500):
        answer: dict[str, Any] = await got(response_id)
        if answer["status"] not in {"queued", "in_progress"}:
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError("it does not end")


async def text_of(response: Any) -> str:
    return b"".join([part async for part in response.streaming_content]).decode()


def numbers(text: str) -> list[int]:
    frames = [one.split("data: ", 1)[1] for one in text.split("\n\n") if one.startswith("event: ")]
    return [json.loads(frame)["sequence_number"] for frame in frames]


async def test_it_is_queued_at_once_and_completed_later() -> None:
    with serving(telling(*THOUGHT, *SAID, *ENDED)):
        first = json.loads((await post(BODY)).content)
        assert (first["status"], first["background"], first["output"]) == ("queued", True, [])
        check_response(first)
        last = await ended(first["id"])
    assert (last["status"], last["output"][1]["content"][0]["text"]) == ("completed", "Hello")
    check_response(last)
    assert last["id"] == first["id"]


async def test_a_conversation_goes_on_from_it_once_it_is_complete() -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)):
        first = json.loads((await post(BODY)).content)
        early = await post({"input": "And?", "previous_response_id": first["id"]})
        assert (early.status_code, error_of(early)["param"]) == (400, "previous_response_id")
        hold.set()
        await ended(first["id"])
    _, request = await made(telling(*SAID, *ENDED), input="And?", previous_response_id=first["id"])
    assert [message.content for message in request.messages] == ["Hi", "Hello there", "And?"]


async def test_it_can_be_cancelled_and_keeps_its_text() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner):
        first = json.loads((await post(BODY)).content)
        while not (await got(first["id"]))["output"]:
            await asyncio.sleep(0.01)
        cancelled = await got(f"{first['id']}/cancel", "post")
        assert (cancelled["status"], runner.cancelled) == ("cancelled", 1)
        assert cancelled["output"][0]["status"] == "incomplete"
        check_response(cancelled)
        assert await got(first["id"]) == cancelled == await got(f"{first['id']}/cancel", "post")


async def test_only_one_in_the_background_can_be_cancelled() -> None:
    answer, _ = await made(telling(*SAID, *ENDED))
    response = await AsyncClient().post(f"/v1/responses/{answer['id']}/cancel")
    assert response.status_code == 400 and "background" in error_of(response)["message"]
    assert (await AsyncClient().post("/v1/responses/resp_none/cancel")).status_code == 404


async def test_it_goes_on_when_its_client_leaves() -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)):
        response = await post(BODY | {"stream": True})
        parts = response.streaming_content.__aiter__()
        opening = (await anext(parts)).decode()
        while "response.created" not in opening:
            opening += (await anext(parts)).decode()
        await parts.aclose()
        hold.set()
        response_id = json.loads(opening.split("data: ", 1)[1].split("\n\n")[0])["response"]["id"]
        assert (await ended(response_id))["status"] == "completed"


async def test_its_stream_is_followed_from_any_event() -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(hold=hold)):
        first = json.loads((await post(BODY)).content)
        address = f"/v1/responses/{first['id']}?stream=true"
        while not (await got(first["id"]))["output"]:
            await asyncio.sleep(0.01)
        whole, rest = await AsyncClient().get(address), await AsyncClient().get(f"{address}&starting_after=2")
        hold.set()
        text = await text_of(whole)
        assert numbers(await text_of(rest)) == numbers(text)[3:]
        after = await text_of(await AsyncClient().get(address))
    events = check_stream(text)
    assert [one["type"].removeprefix("response.") for one in events[:3]] == [
        "created",
        "queued",
        "in_progress",
    ]
    assert numbers(text) == list(range(len(events))) and events[-1]["type"] == "response.completed"
    assert [without_sampling(one) for one in check_stream(after)] == [without_sampling(one) for one in events]


def without_sampling(event: dict[str, Any]) -> dict[str, Any]:
    """Before a model takes a request, nobody knows what it will draw with."""
    return event | {"response": {}} if event["type"] in ("response.created", "response.queued") else event


@pytest.mark.parametrize(
    ("runner", "code", "output"),
    [
        (FakeRunner(refuse_with=ContextLengthExceeded("Too long.")), "context_length_exceeded", 0),
        (FakeRunner(["Hel"], fail_with=WorkerDied("Ended.")), "worker_died", 1),
    ],
)
async def test_one_that_fails_says_why(runner: FakeRunner, code: str, output: int) -> None:
    with serving(runner):
        first = json.loads((await post(BODY)).content)
        last = await ended(first["id"])
        text = await text_of(await AsyncClient().get(f"/v1/responses/{first['id']}?stream=true"))
    assert (last["status"], last["error"]["code"], len(last["output"])) == ("failed", code, output)
    assert check_stream(text)[-1]["response"] == check_response(last).model_dump(by_alias=True)


async def test_one_whose_server_ended_has_failed() -> None:
    answer, _ = await made(telling(*SAID, *ENDED))
    lost = answer | {
        "status": "in_progress",
        "background": True,
        "completed_at": None,
        "usage": None,
        "output": [],
    }
    await sync_to_async(StoredResponse.objects.update)(body=lost)
    first, second = await got(answer["id"]), await got(answer["id"])
    assert (first["status"], first["error"]["code"]) == ("failed", "server_error")
    assert first == second
    check_response(first)


async def test_one_that_is_deleted_ends() -> None:
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner):
        first = json.loads((await post(BODY)).content)
        while not runner.running:
            await asyncio.sleep(0.01)
        assert (await got(first["id"], "delete"))["deleted"]
        assert runner.cancelled == 1
    assert await sync_to_async(StoredResponse.objects.count)() == 0


async def test_nobody_has_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_runs, "MOST_RUNS", 1)
    with serving(FakeRunner(hold=asyncio.Event())):
        first = json.loads((await post(BODY)).content)
        response = await post(BODY)
        assert (response.status_code, error_of(response)["code"]) == (429, "queue_full")
        assert response["Retry-After"]
        await got(f"{first['id']}/cancel", "post")


async def test_only_what_is_stored_can_be_in_the_background() -> None:
    assert await refused(background=True, store=False) == (400, "background")


async def test_silences_of_a_queued_one_are_replayed_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "INTERVAL_S", 0.05)
    load = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, load.set)
    hold = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, hold.set)
    with serving(FakeRunner(load_gate=load, hold=hold)):
        followed = await text_of(await post(BODY | {"stream": True}))
    events = check_stream(followed)
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds.count("queued") >= 3 and kinds.count("in_progress") >= 3
    replayed = await AsyncClient().get(f"/v1/responses/{events[0]['response']['id']}?stream=true")
    assert [event["type"] for event in check_stream(await text_of(replayed))] == [
        event["type"] for event in events
    ]

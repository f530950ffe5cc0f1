"""/v1/responses as a websocket: one response after the other over one connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from inference.api.openai.responses import response_socket
from inference.core.config import Config
from inference.core.errors import QueueFull, WorkerDied
from mlxsite.asgi import application
from tests.accounts.making import make_key
from tests.api.openai.open_response_events import check_event
from tests.api.openai.open_responses import check_response
from tests.api.openai.responding import ENDED, SAID, telling
from tests.api.openai.test_conversation_responses import texts
from tests.api.openai.test_conversations import begun
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)
HOST = (b"host", b"localhost:8000")
LAST = {"response.completed", "response.incomplete", "response.failed", "error"}


def socket(*headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    return WebsocketCommunicator(application, "/v1/responses", [HOST, *headers])


@asynccontextmanager
async def connected(*headers: tuple[bytes, bytes]) -> AsyncIterator[WebsocketCommunicator]:
    made = socket(*headers)
    is_accepted, _ = await made.connect(timeout=5)
    assert is_accepted
    yield made
    await made.disconnect()


async def turn(web: WebsocketCommunicator, **body: Any) -> list[dict[str, Any]]:
    """The events of one response."""
    await web.send_to(
        text_data=json.dumps({"type": "response.create", "model": "tiny", "input": "Hi"} | body)
    )
    return await heard(web)


async def heard(web: WebsocketCommunicator) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in LAST:
        events.append(json.loads(await web.receive_from(timeout=10)))
    return events


async def test_a_response_comes_as_the_events_of_its_stream() -> None:
    with serving(telling(*SAID, *ENDED)):
        async with connected() as web:
            events = await turn(web)
            assert await web.receive_nothing(timeout=0.05)  # no [DONE]
    for event in events:
        check_event(f"event: {event['type']}\ndata: {json.dumps(event)}")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    answer = check_response(events[-1]["response"])
    assert (answer.status, events[0]["type"]) == ("completed", "response.created")
    kept = (await AsyncClient().get(f"/v1/responses/{answer.id}")).content
    assert json.loads(kept) == events[-1]["response"]


async def test_one_follows_the_other_and_goes_on_though_nothing_is_stored() -> None:
    runner = telling(*SAID, *ENDED)
    with serving(runner):
        async with connected() as web:
            last = ""
            for text in ("one", "two", "three"):
                more = {"previous_response_id": last} if last else {}
                events = await turn(web, input=text, store=False, stream=True, **more)
                last = events[-1]["response"]["id"]
            assert (await AsyncClient().get(f"/v1/responses/{last}")).status_code == 404
        asked = [message.content for message in runner.requests[-1].messages]  # type: ignore[union-attr]
        assert asked == ["one", "Hello", "two", "Hello", "three"]
        async with connected() as other:
            (event,) = await turn(other, store=False, previous_response_id=last)
    assert (event["type"], event["status"]) == ("error", 404)
    assert event["error"]["code"] == "previous_response_not_found"
    assert event["error"]["param"] == "previous_response_id"


async def test_messages_that_come_early_wait_for_their_turn() -> None:
    with serving(telling(*SAID, *ENDED)):
        async with connected() as web:
            for text in "ab":
                body = {"type": "response.create", "model": "tiny", "input": text}
                await web.send_to(text_data=json.dumps(body))
            ids = [(await heard(web))[-1]["response"]["id"] for _ in "ab"]
    assert len(set(ids)) == 2


async def test_a_turn_that_fails_ends_what_could_go_on() -> None:
    result = {"type": "function_call_output", "call_id": "call_none", "output": "x"}
    with serving(telling(*SAID, *ENDED)):
        async with connected() as web:
            first = (await turn(web, store=False))[-1]["response"]["id"]
            (event,) = await turn(web, store=False, previous_response_id=first, input=[result])
            assert (event["status"], event["error"]["param"]) == (400, "input.0.call_id")
            (event,) = await turn(web, store=False, previous_response_id=first)
            assert event["error"]["code"] == "previous_response_not_found"
            assert (await turn(web))[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("{", None),
        ("[]", None),
        ('{"model": "tiny", "input": "Hi"}', "type"),
        ('{"type": "response.steer"}', "type"),
        ('{"type": "response.create", "model": "tiny"}', "input"),
        ('{"type": "response.create", "model": "tiny", "input": "Hi", "background": true}', "background"),
        ('{"type": "response.create", "model": "tiny", "input": "Hi", "temprature": 1}', "temprature"),
        ('{"type": "response.create", "model": "other", "input": "Hi"}', "model"),
    ],
)
async def test_what_is_wrong_is_named_and_the_connection_goes_on(message: str, param: str | None) -> None:
    with serving(telling(*SAID, *ENDED)):
        async with connected() as web:
            await web.send_to(text_data=message)
            (event,) = await heard(web)
            assert event["type"] == "error" and event["status"] in (400, 404)
            assert event["error"]["param"] == param and event["error"]["message"]
            assert (await turn(web))[-1]["type"] == "response.completed"


async def test_what_is_refused_or_breaks_is_reported() -> None:
    with serving(FakeRunner(refuse_with=QueueFull("Busy.", retry_after=1))):
        async with connected() as web:
            (event,) = await turn(web)
    assert (event["status"], event["error"]["code"]) == (429, "queue_full")
    with serving(FakeRunner(["Hel"], fail_with=WorkerDied("Ended."))):
        async with connected() as web:
            events = await turn(web)
    assert events[-1]["type"] == "response.failed"


async def test_it_is_made_in_a_conversation() -> None:
    conversation = await begun()
    with serving(telling(*SAID, *ENDED)):
        async with connected() as web:
            for _ in range(2):
                await turn(web, conversation=conversation)
    assert await texts(conversation) == ["Hi", "Hello"] * 2


async def test_a_connection_that_is_closed_ends_its_response() -> None:
    conversation = await begun()
    runner = FakeRunner(hold=asyncio.Event())
    with serving(runner):
        async with connected() as web:
            body = {"type": "response.create", "model": "tiny", "input": "Hi", "conversation": conversation}
            await web.send_to(text_data=json.dumps(body))
            await web.receive_from(timeout=5)
        assert (runner.running, runner.cancelled) == (0, 1)
        assert runner.hold
        runner.hold.set()
        async with connected() as web:
            assert (await turn(web, conversation=conversation))[-1]["type"] == "response.completed"


async def test_it_takes_a_key_and_refuses_a_wrong_one(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, secret = await sync_to_async(make_key)()
    with serving(telling(*SAID, *ENDED)):
        for key in ("sesame", secret):
            async with connected((b"authorization", f"Bearer {key}".encode())) as web:
                assert (await turn(web))[-1]["type"] == "response.completed"
        for headers in ([], [(b"authorization", b"Bearer wrong")]):
            web = socket(*headers)
            await web.connect(timeout=5)
            answer = json.loads(await web.receive_from(timeout=5))
            assert (answer["status"], answer["error"]["type"]) == (401, "invalid_request_error")
            assert (await web.receive_output(timeout=5))["type"] == "websocket.close"


async def test_one_caller_has_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_socket, "MOST_SOCKETS", 1)
    async with connected():
        second = socket()
        await second.connect(timeout=5)
        assert json.loads(await second.receive_from(timeout=5))["status"] == 429
    async with connected():
        pass


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", b"http://localhost:9999"])
async def test_a_page_of_another_site_is_refused(origin: bytes, settings: Any) -> None:
    assert (await socket((b"origin", origin)).connect(timeout=5))[0] is False
    assert (await socket((b"origin", b"http://localhost:8000")).connect(timeout=5))[0] is True
    settings.CONFIG = Config(allowed_origins="http://evil.example")
    if origin.startswith(b"http://evil"):
        assert (await socket((b"origin", origin)).connect(timeout=5))[0] is True

"""Stored responses: conversations that go on from them, whose they are, and how they end."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from inference.core.config import Config
from inference.core.errors import WorkerDied
from inference.core.events import Ended
from inference.core.requests import Message
from inference.models import StoredResponse
from inference.storage.response_store import Stored, forget_old
from tests.accounts.making import make_key
from tests.api.openai.asking import error_of
from tests.api.openai.asking import post as ask_over_http
from tests.api.openai.responding import CALLED, ENDED, NOW, SAID, THOUGHT, made, refused, streamed, telling
from tests.fakes import FakeRunner, serving

pytestmark = pytest.mark.django_db(transaction=True)


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
    received, _ = await made(
        telling(*SAID, *ENDED), input=[{"role": "user", "content": text} for text in "abc"]
    )
    client, address = AsyncClient(), f"/v1/responses/{received['id']}"
    assert json.loads((await client.get(address)).content) == received
    listed = json.loads((await client.get(f"{address}/input_items?limit=2")).content)
    assert [item["content"][0]["text"] for item in listed["data"]] == ["c", "b"]
    assert listed["has_more"] and listed["last_id"] == listed["data"][1]["id"]
    rest = json.loads((await client.get(f"{address}/input_items?after={listed['last_id']}")).content)
    assert [item["content"][0]["text"] for item in rest["data"]] == ["a"] and not rest["has_more"]
    assert json.loads((await client.delete(address)).content)["deleted"]
    assert (await client.get(address)).status_code == 404
    assert await refused(previous_response_id=received["id"]) == (404, "previous_response_id")


@pytest.mark.parametrize(
    ("query", "param"),
    [("order=up", "order"), ("limit=0", "limit"), ("limit=x", "limit"), ("after=x", "after")],
)
async def test_a_wrong_page_is_refused(query: str, param: str) -> None:
    received, _ = await made(telling(*SAID, *ENDED))
    response = await AsyncClient().get(f"/v1/responses/{received['id']}/input_items?{query}")
    assert (response.status_code, error_of(response)["param"]) == (400, param)


@pytest.mark.parametrize(
    "query", ["limit=000001" + "9" * 5000, "limit=000100000", "before=x", "limti=1", "include=x"]
)
async def test_no_query_breaks_the_list_or_is_ignored(query: str) -> None:
    received, _ = await made(telling(*SAID, *ENDED))
    address = f"/v1/responses/{received['id']}"
    assert (await AsyncClient().get(f"{address}/input_items?{query}")).status_code == 400
    for wrong in ("stream=maybe", "starting_after=3", "stream=true&starting_after=x", "include=x"):
        assert (await AsyncClient().get(f"{address}?{wrong}")).status_code == 400


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


async def test_a_database_that_fails_is_reported_at_the_end_of_the_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: Stored, *facts: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(Stored, "keep", full)
    events = await streamed(telling(*SAID, *ENDED))
    assert events[-1]["type"] == "response.failed"
    said = json.dumps(events[-1])
    assert "The server's disk is full, so nothing was stored." in said and "database" not in said


async def test_what_is_not_to_be_stored_is_not() -> None:
    received, _ = await made(telling(*SAID, *ENDED), store=False)
    assert (await AsyncClient().get(f"/v1/responses/{received['id']}")).status_code == 404
    assert await sync_to_async(StoredResponse.objects.count)() == 0


async def test_what_failed_is_not_stored() -> None:
    await streamed(FakeRunner(["Hel"], fail_with=WorkerDied("Ended.")))
    assert await sync_to_async(StoredResponse.objects.count)() == 0


async def test_a_response_is_its_askers_alone(settings: Any) -> None:
    settings.CONFIG = Config(api_key="sesame")
    _, mine = await sync_to_async(make_key)()
    _, other = await sync_to_async(make_key)(owner=await sync_to_async(User.objects.create)(username="bob"))
    with serving(telling(*SAID, *ENDED)):
        kept = json.loads((await send_with(mine, "post", input="Hi")).content)
        for method in ("get", "delete"):
            assert (await send_with(other, method, f"/{kept['id']}")).status_code == 404
        assert (await send_with(other, "get", f"/{kept['id']}/input_items")).status_code == 404
        onwards = await send_with(other, "post", input="Hi", previous_response_id=kept["id"])
        assert (onwards.status_code, error_of(onwards)["param"]) == (404, "previous_response_id")
        shown = await send_with(mine, "get", f"/{kept['id']}")
    assert json.loads(shown.content) == kept


async def send_with(secret: str, method: str, path: str = "", **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    if method == "post":
        return await ask_over_http("/v1/responses", {"model": "tiny"} | body, headers=headers)
    return await getattr(AsyncClient(), method)(f"/v1/responses{path}", headers=headers)


async def test_a_response_that_is_too_old_is_forgotten(settings: Any) -> None:
    settings.CONFIG = Config(response_days=2)
    received, _ = await made(telling(*SAID, *ENDED))
    old = timezone.now() - timedelta(days=2, minutes=1)
    await sync_to_async(StoredResponse.objects.update)(created_at=old)
    assert (await AsyncClient().get(f"/v1/responses/{received['id']}")).status_code == 404
    assert await refused(previous_response_id=received["id"]) == (404, "previous_response_id")
    await made(telling(*SAID, *ENDED))
    await sync_to_async(forget_old)()
    assert await sync_to_async(StoredResponse.objects.count)() == 1

"""Conversations over HTTP: changed, exported, imported, and closed to everybody but their owner."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, Client, override_settings

from inference.core.config import Config
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


async def test_a_conversation_is_renamed_pinned_filed_and_deleted(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, _ = await page.answered()
        address = f"/chat/conversations/{conversation}/"
        facts = {"title": "Mine", "folder": "Work", "is_pinned": True}
        assert facts.items() <= (await page.json("PATCH", address, facts)).items()
        await page.json("DELETE", address)
        assert (await page.send("GET", address)).status_code == 404
        await page.json("POST", f"{address}restore/")
        assert (await page.open(conversation))["title"] == "Mine"


async def test_a_conversation_is_exported_and_imported(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("What?")
        await idle()
        exported = await page.send("GET", f"/chat/conversations/{conversation}.json")
        readable = await page.send("GET", f"/chat/conversations/{conversation}.md")
        other = await page.send("GET", f"/chat/conversations/{conversation}.pdf")
        imported = await page.json("POST", "/chat/import/", json.loads(exported.content))
        whole = await page.open(imported["id"])
    assert "attachment" in exported["Content-Disposition"]
    assert readable.content.decode() == "# What?\n\n## You\n\nWhat?\n\n## tiny\n\nHello\n"
    assert [message["content"] for message in whole["messages"]] == ["What?", "Hello"]
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("call", "param"),
    [
        ({"name": "now", "arguments": "{}"}, "messages.0.calls.0.id"),
        ({"id": "a", "name": "not now", "arguments": "{}"}, "messages.0.calls.0.name"),
        ({"id": "a", "name": "now", "arguments": {}}, "messages.0.calls.0.arguments"),
    ],
)
async def test_a_call_that_no_model_could_read_is_not_imported(
    page: Page, call: dict[str, Any], param: str
) -> None:
    message = {"id": 1, "parent": None, "role": "assistant", "calls": [call]}
    body = {"format": "mlxsite-conversation-1", "messages": [message]}
    response = await page.send("POST", "/chat/import/", body)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


async def test_calls_are_imported_with_and_without_their_results(page: Page) -> None:
    calls = [
        {"id": "a", "name": "now", "arguments": "{}", "result": "noon"},
        {"id": "b", "name": "now", "arguments": "{}"},
    ]
    message = {"id": 1, "parent": None, "role": "assistant", "calls": calls}
    body = {"format": "mlxsite-conversation-1", "messages": [message]}
    imported = await page.json("POST", "/chat/import/", body)
    assert (await page.open(imported["id"]))["messages"][0]["calls"] == calls


@pytest.mark.parametrize("after", ["-1", "x", "9" * 16])
async def test_a_page_of_the_list_begins_at_a_number(page: Page, after: str) -> None:
    response = await page.send("GET", f"/chat/conversations/?after={after}")
    assert (response.status_code, error_of(response)["param"]) == (400, "after")


@pytest.mark.usefixtures("closed")
async def test_one_user_does_not_reach_what_is_anothers(page: Page, async_client: AsyncClient) -> None:
    ada, bob = [await sync_to_async(User.objects.create_user)(name) for name in ("ada", "bob")]
    with serving(FakeRunner(hold=asyncio.Event())):
        await async_client.aforce_login(ada)
        asked = await page.ask()
        conversation, answer = asked["conversation"], asked["messages"][-1]["id"]
        await async_client.aforce_login(bob)
        refused = [
            await page.send(method, address, body)
            for method, address, body in [
                ("GET", f"/chat/conversations/{conversation}/", None),
                ("GET", f"/chat/conversations/{conversation}.json", None),
                ("PATCH", f"/chat/conversations/{conversation}/", {"title": "mine"}),
                ("DELETE", f"/chat/conversations/{conversation}/", None),
                ("POST", f"/chat/conversations/{conversation}/restore/", None),
                ("GET", f"/chat/messages/{answer}/events/", None),
                ("POST", f"/chat/messages/{answer}/stop/", None),
                ("POST", f"/chat/messages/{answer}/answer-now/", None),
                (
                    "POST",
                    "/chat/ask/",
                    {"conversation": conversation, "content": "x", "question": {"model": "tiny"}},
                ),
            ]
        ]
        assert {response.status_code for response in refused} == {404}
        await async_client.aforce_login(ada)
        await page.json("POST", f"/chat/messages/{answer}/stop/")


@pytest.mark.usefixtures("closed")
async def test_a_stranger_on_a_closed_site_gets_nothing(page: Page) -> None:
    for method, address in [("GET", "/chat/conversations/"), ("POST", "/chat/ask/")]:
        response = await page.send(method, address, None if method == "GET" else {})
        assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")


async def test_only_json_is_read(page: Page) -> None:
    response = await page.send("POST", "/chat/ask/", {}, content_type="text/plain")
    assert response.status_code == 415


def test_another_page_cannot_ask_in_a_visitors_name() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/chat/ask/", "{}", content_type="application/json")
    assert response.status_code == 403

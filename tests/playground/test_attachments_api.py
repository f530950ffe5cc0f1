"""Attached files over HTTP: added, counted, sent, read by the model, exported and closed to others."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, override_settings
from django.utils import timezone

from inference.core.config import Config
from inference.core.events import Accepted, Ended, Finished, Tokenized, Usage
from inference.core.requests import ChatRequest, TokenizeRequest
from playground import attached_files
from playground.models import Message, PendingAttachment
from tests.api.openai.asking import error_of
from tests.fakes import EventRunner, FakeRunner, serving
from tests.playground.asking import Page, idle
from tests.playground.file_text import files

pytestmark = pytest.mark.django_db(transaction=True)
USAGE = Usage(prompt_tokens=3, completion_tokens=0)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


async def post(page: Page, content: bytes, name: str = "notes.txt") -> Any:
    address = f"/chat/attachments/?name={name}"
    return await page.client.post(address, content, content_type="application/octet-stream")


async def added(page: Page, content: bytes = b"My notes.", name: str = "notes.txt") -> Any:
    response = await post(page, content, name)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


async def text(page: Page, address: str) -> str:
    response: Any = await page.client.get(address)
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def prompt(runner: FakeRunner) -> str:
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest)
    return str(request.messages[-1].content)


async def test_a_file_is_sent_with_its_question_and_read_by_the_model(page: Page) -> None:
    runner = FakeRunner(["Yes"])
    with serving(runner):
        file = await added(page, "Grüße".encode("latin-1"), "greeting.txt")
        assert (file["name"], file["size"], file["characters"]) == ("greeting.txt", 5, 5)
        asked = await page.ask("What is this?", attachments=[file["id"]])
        await idle()
        question = asked["messages"][0]
        assert question["content"] == "What is this?"
        assert question["attachments"] == [
            {"id": file["id"], "name": "greeting.txt", "size": 5, "characters": 5}
        ]
        assert prompt(runner) == "greeting.txt\n```\nGrüße\n```\n\nWhat is this?"
        address = f"/chat/messages/{question['id']}/attachments/{file['id']}/"
        assert await text(page, address) == "Grüße"
        assert not await sync_to_async(PendingAttachment.objects.count)()
        await page.ask(None, conversation=asked["conversation"], parent=question["id"])  # asked again
        await idle()
        assert prompt(runner).startswith("greeting.txt\n```\nGrüße")
        edited = await page.ask("And now?", conversation=asked["conversation"], attachments=[file["id"]])
        assert edited["messages"][0]["attachments"][0]["name"] == "greeting.txt"
        await idle()
    whole = await page.open(asked["conversation"])
    assert [len(one["attachments"]) for one in whole["messages"] if one["role"] == "user"] == [1, 1]


async def test_files_are_exported_imported_and_deleted_with_their_conversation(page: Page) -> None:
    with serving(FakeRunner(["Yes"])):
        file = await added(page, files.pdf("A page"), "paper.pdf")
        conversation, _ = await page.answered("Read it", attachments=[file["id"]])
        await idle()
    exported = json.loads(await text(page, f"/chat/conversations/{conversation}.json"))
    assert exported["messages"][0]["attachments"][0]["text"] == "A page"
    assert "paper.pdf:\n\n```\nA page\n```" in await text(page, f"/chat/conversations/{conversation}.md")
    imported = await page.json("POST", "/chat/import/", exported)
    question = (await page.open(imported["id"]))["messages"][0]
    (copy,) = question["attachments"]
    assert copy["id"] != file["id"] and (copy["name"], copy["size"]) == ("paper.pdf", file["size"])
    assert await text(page, f"/chat/messages/{question['id']}/attachments/{copy['id']}/") == "A page"
    await page.json("DELETE", f"/chat/conversations/{imported['id']}/")
    gone = await page.send("GET", f"/chat/messages/{question['id']}/attachments/{copy['id']}/")
    assert gone.status_code == 404


async def test_a_file_is_saved_under_its_name(page: Page) -> None:
    for name, saved_as in [("notes.txt", "notes.txt"), ("a%22b.pdf", 'a\\"b.pdf.txt')]:
        file = await added(page, name=name)
        response = await page.send("GET", f"/chat/attachments/{file['id']}/?download")
        assert response["Content-Disposition"] == f'attachment; filename="{saved_as}"'
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        await page.json("DELETE", f"/chat/attachments/{file['id']}/")
        assert (await page.send("GET", f"/chat/attachments/{file['id']}/")).status_code == 404


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b" \n", "It is empty."),
        (b"\x89PNG\r\n\x1a\n\0", "It is damaged: the file is cut off."),
        (b"\0\1\2", "not a text"),
    ],
)
async def test_a_file_without_text_says_why(page: Page, content: bytes, reason: str) -> None:
    response = await post(page, content)
    assert response.status_code == 400 and reason in error_of(response)["message"]


async def test_tokens_are_counted_by_a_model_that_is_loaded(page: Page) -> None:
    file = await added(page)
    counted = Tokenized(tokens=((1, 2, 3),), texts=("My notes.",), context_length=8192)
    runner = EventRunner(Accepted(prompt_tokens=3), counted, Ended(reason="stop"), Finished(usage=USAGE))
    with serving(runner):
        address = f"/chat/attachments/{file['id']}/tokens/?model="
        assert await page.json("GET", f"{address}tiny") == {"tokens": None}
        assert not runner.requests
        assert await page.json("GET", f"{address}nowhere") == {"tokens": None}
        await page.answered()
        assert await page.json("GET", f"{address}tiny") == {"tokens": 3}
    request = runner.requests[-1]
    assert isinstance(request, TokenizeRequest) and "My notes." in str(request.of)


async def test_a_file_that_is_gone_stores_no_question(page: Page) -> None:
    with serving(FakeRunner()):
        body = {"content": "x", "question": {"model": "tiny"}}
        missing = {"attachments": ["00000000-0000-0000-0000-000000000000"]}
        response = await page.send("POST", "/chat/ask/", body | missing)
        assert response.status_code == 400 and "attach it again" in error_of(response)["message"]
        assert (await page.send("POST", "/chat/ask/", body | {"attachments": ["../x"]})).status_code == 400
    assert not await sync_to_async(Message.objects.count)()


async def test_files_have_bounds(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached_files, "_MAX_PENDING", 2)
    monkeypatch.setattr(attached_files, "_MAX_TOTAL", 15)
    ids = [(await added(page))["id"] for _ in range(2)]
    assert (await post(page, b"one more")).status_code == 429
    with serving(FakeRunner()):
        body = {"content": "x", "question": {"model": "tiny"}, "attachments": ids}
        response = await page.send("POST", "/chat/ask/", body)
        assert response.status_code == 400 and "15 characters together" in error_of(response)["message"]


async def test_files_that_nobody_sent_are_deleted_after_a_week(page: Page) -> None:
    old, new = [(await added(page))["id"] for _ in range(2)]
    before = timezone.now() - attached_files.KEPT_PENDING - timedelta(hours=1)
    await PendingAttachment.objects.filter(pk=old).aupdate(created_at=before)
    await sync_to_async(attached_files.forget_old)()
    assert [str(one.pk) async for one in PendingAttachment.objects.all()] == [new]


@pytest.mark.usefixtures("closed")
async def test_files_are_their_owners_alone_or_shared_with_their_conversation(
    page: Page, async_client: AsyncClient
) -> None:
    ada, bob = [await sync_to_async(User.objects.create_user)(name) for name in ("ada", "bob")]
    await async_client.aforce_login(ada)
    with serving(FakeRunner(["Yes"])):
        file, other = await added(page), await added(page)
        asked = await page.ask("Look", attachments=[file["id"]])
        await idle()
        share = await page.json("POST", f"/chat/conversations/{asked['conversation']}/share/")
        sent = f"/chat/messages/{asked['messages'][0]['id']}/attachments/{file['id']}/"
        await async_client.aforce_login(bob)
        for address in (
            sent,
            f"/chat/attachments/{other['id']}/",
            f"/chat/attachments/{other['id']}/tokens/",
        ):
            assert (await page.send("GET", address)).status_code == 404
        body = {"content": "x", "question": {"model": "tiny"}}
        for pk in (file["id"], other["id"]):
            refused = await page.send("POST", "/chat/ask/", body | {"attachments": [pk]})
            assert refused.status_code == 400
        shared = f"/chat/shared/{share['share']}/attachments/"
        assert await text(page, f"{shared}{file['id']}/") == "My notes."
        assert (await page.send("GET", f"{shared}{other['id']}/")).status_code == 404
        await async_client.alogout()
        assert (await post(page, b"x")).status_code == 401

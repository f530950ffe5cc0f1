"""Pictures in the playground, without a browser: sent to the model, served, exported, refused in words."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, override_settings

from inference.core.config import Config
from inference.core.events import Accepted, Event, Finished, Tokenized, Usage
from inference.core.requests import PICTURE, ChatRequest, Message, Request, TokenizeRequest
from playground.file_text.picture import picture_of
from playground.models import Message as StoredMessage
from playground.models import StoredPicture
from playground.titles import TITLES
from tests import pictures, vision_extra
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)
PNG, WIDE = pictures.png(3, 2), pictures.png(60, 20)
RED = picture_of(PNG)
EYES = card("eyes", sees=True, picture_tokens=400, picture_token_pixels=28)
TEXT = card("tiny")


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.fixture(autouse=True)
def extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    vision_extra.install(monkeypatch, tmp_path)


@pytest.fixture
def eyes() -> Iterator[FakeRunner]:
    runner = FakeRunner(["A dot."], sees=True)
    with serving(runner, FakeRunner(["Words."]), cards=[EYES, TEXT]):
        yield runner


async def post(page: Page, content: bytes, name: str) -> Any:
    address = f"/chat/attachments/?name={name}"
    return await page.client.post(address, content, content_type="application/octet-stream")


async def added(page: Page, content: bytes = PNG, name: str = "dot.png") -> Any:
    response = await post(page, content, name)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


async def asked(page: Page, content: str | None = "What is it?", model: str = "eyes", **changes: Any) -> Any:
    made = await page.ask(content, question={"model": model}, **changes)
    await idle()
    return made


def read(runner: FakeRunner) -> list[Message]:
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest)
    return list(request.messages)


async def test_a_picture_is_seen_with_its_question_and_whenever_that_is_answered_again(
    page: Page, eyes: FakeRunner
) -> None:
    file, notes = await added(page), await added(page, b"Notes.", "notes.txt")
    facts = {"media_type": "image/png", "width": 3, "height": 2}
    assert file == {"id": file["id"], "name": "dot.png", "size": len(PNG), "tokens": None} | facts
    made = await asked(page, attachments=[file["id"], notes["id"]])
    question, answer = made["messages"]
    assert question["attachments"][0] == {"id": file["id"], "name": "dot.png", "size": len(PNG)} | facts
    seen = Message(
        role="user", content=f"{PICTURE}notes.txt\n```\nNotes.\n```\n\nWhat is it?", pictures=(RED,)
    )
    assert read(eyes) == [seen]
    chat = {"conversation": made["conversation"]}
    await asked(page, None, **chat, parent=question["id"])  # regenerated
    assert read(eyes) == [seen]
    await asked(page, f"Why{PICTURE}?", **chat, parent=answer["id"])  # a later turn, and a stray mark
    assert read(eyes) == [
        seen,
        Message(role="assistant", content="A dot."),
        Message(role="user", content="Why?"),
    ]
    await page.json("POST", f"/chat/messages/{answer['id']}/continue/", {"question": {"model": "eyes"}})
    await idle()
    assert read(eyes)[0] == seen
    await asked(page, "And now?", **chat, attachments=[file["id"]])  # edited
    assert read(eyes) == [Message(role="user", content=f"{PICTURE}And now?", pictures=(RED,))]
    assert await sync_to_async(StoredPicture.objects.count)() == 1


async def test_it_is_served_to_its_owner_alone_or_with_a_shared_chat(
    page: Page, eyes: FakeRunner, async_client: AsyncClient
) -> None:
    with override_settings(CONFIG=Config(api_key="secret")):
        ada, bob = [await sync_to_async(User.objects.create_user)(name) for name in ("ada", "bob")]
        await async_client.aforce_login(ada)
        file, waiting = await added(page), await added(page, WIDE, "wide.png")
        made = await asked(page, attachments=[file["id"]])
        sent = f"/chat/messages/{made['messages'][0]['id']}/attachments/{file['id']}/"
        pending = f"/chat/attachments/{waiting['id']}/"
        share = await page.json("POST", f"/chat/conversations/{made['conversation']}/share/")
        shared = f"/chat/shared/{share['share']}/attachments/"
        for address, content in ((sent, PNG), (pending, WIDE), (f"{shared}{file['id']}/", PNG)):
            response = await page.send("GET", address)
            assert (response.status_code, response.content) == (200, content)
            assert response["Content-Type"] == "image/png"
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["Cache-Control"] == "private, no-store"
            assert response["Content-Disposition"].startswith("inline; ")
            assert "default-src 'self'" in response["Content-Security-Policy"]
        download = await page.send("GET", f"{sent}?download")
        assert download["Content-Disposition"] == 'attachment; filename="dot.png"'
        await async_client.aforce_login(bob)
        for address in (sent, pending, f"{pending}tokens/", f"{shared}{waiting['id']}/"):
            assert (await page.send("GET", address)).status_code == 404
        assert (await page.send("GET", f"{shared}{file['id']}/")).content == PNG
        for pk in (file["id"], waiting["id"]):
            body = {"content": "x", "question": {"model": "eyes"}, "attachments": [pk]}
            assert (await page.send("POST", "/chat/ask/", body)).status_code == 400
        copy = await page.json("POST", f"/chat/shared/{share['share']}/copy/")
        question = (await page.open(copy["id"]))["messages"][0]
        (own,) = question["attachments"]
        address = f"/chat/messages/{question['id']}/attachments/{own['id']}/"
        assert own["id"] != file["id"] and (await page.send("GET", address)).content == PNG
        await async_client.alogout()
        assert (await page.send("GET", sent)).status_code == 401


async def test_a_model_that_is_blind_is_named_before_anything_is_stored(page: Page, eyes: FakeRunner) -> None:
    file = await added(page)
    body = {"content": "x", "question": {"model": "tiny"}, "attachments": [file["id"]]}
    response = await page.send("POST", "/chat/ask/", body)
    message = "The model 'tiny' reads text only; 'eyes' sees pictures."
    assert (response.status_code, error_of(response)["message"]) == (400, message)
    assert not await sync_to_async(StoredMessage.objects.count)()
    assert (await page.send("GET", f"/chat/attachments/{file['id']}/")).status_code == 200  # it is not lost
    made = await asked(page, attachments=[file["id"]])
    later = {"content": "And?", "question": {"model": "tiny"}, "parent": made["messages"][1]["id"]}
    refused = await page.send("POST", "/chat/ask/", later | {"conversation": made["conversation"]})
    assert (refused.status_code, error_of(refused)["message"]) == (400, message)
    compared = await asked(
        page, models=["tiny", "eyes"], attachments=[(await added(page))["id"]], content="Both?"
    )
    whole = await page.open(compared["conversation"])
    answers = {one["model"]: one for one in whole["messages"][1:]}
    assert answers["eyes"]["content"] == "A dot." and "reads text only" in answers["tiny"]["error"]


@pytest.mark.usefixtures("eyes")
async def test_a_conversation_has_a_limited_number_of_pictures(page: Page) -> None:
    ids = [(await added(page))["id"] for _ in range(2)]
    with override_settings(CONFIG=Config(picture_count=1)):
        body = {"content": "x", "question": {"model": "eyes"}, "attachments": ids}
        response = await page.send("POST", "/chat/ask/", body)
    assert response.status_code == 400 and "has 2 pictures, and may have 1" in error_of(response)["message"]


async def test_pictures_are_exported_and_come_back(page: Page, eyes: FakeRunner) -> None:
    file = await added(page)
    made = await asked(page, attachments=[file["id"]])
    await asked(page, "Again?", conversation=made["conversation"], attachments=[file["id"]])
    address = f"/chat/conversations/{made['conversation']}"
    exported = json.loads((await page.send("GET", f"{address}.json")).content)
    encoded = base64.b64encode(PNG).decode()
    assert exported["pictures"] == {file["id"]: {"media_type": "image/png", "data": encoded}}
    markdown = (await page.send("GET", f"{address}.md")).content.decode()
    assert "dot.png (picture, 3 × 2 pixels, 1 kB)" in markdown and encoded not in markdown
    imported = await page.json("POST", "/chat/import/", exported)
    questions = [one for one in (await page.open(imported["id"]))["messages"] if one["role"] == "user"]
    (first,), (second,) = (one["attachments"] for one in questions)
    assert first == second and first["id"] != file["id"]
    picture = await page.send("GET", f"/chat/messages/{questions[0]['id']}/attachments/{first['id']}/")
    assert picture.content == PNG
    with override_settings(CONFIG=Config(picture_pixels=5)):
        report = await page.json("POST", "/chat/import/?copies", exported)
    assert "Without a picture. It has 3 × 2 pixels" in report["chats"][0]["note"]
    assert (await page.open(report["id"]))["messages"][0]["attachments"] == []


async def test_titles_are_asked_for_without_pictures(page: Page, eyes: FakeRunner) -> None:
    with override_settings(CONFIG=Config(titles=True)):
        await asked(page, attachments=[(await added(page))["id"]])
        await TITLES.join()
    (message,) = read(eyes)
    assert "Write a title" in message.content and not message.pictures and PICTURE not in message.content


class Counting(FakeRunner):
    """A model for which a question has five tokens, and a picture 70."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.requests.append(request)
        assert isinstance(request, TokenizeRequest) and isinstance(request.of, ChatRequest)
        count = 5 + 70 * len(request.of.messages[0].pictures)
        yield Accepted(prompt_tokens=count)
        yield Tokenized(tokens=(tuple(range(count)),), texts=("",), context_length=8192)
        yield Finished(usage=Usage(prompt_tokens=count, completion_tokens=0))


async def test_tokens_of_a_picture_are_those_that_it_adds(page: Page) -> None:
    file = await added(page)
    address = f"/chat/attachments/{file['id']}/tokens/?model="
    runner = Counting(sees=True)
    with serving(runner, cards=[EYES]) as pool:
        assert await page.json("GET", f"{address}eyes") == {"tokens": None}
        await pool.load("eyes")
        assert await page.json("GET", f"{address}eyes") == {"tokens": 70}
    shown, blank = runner.requests
    for request, pictures_of in ((shown, (RED,)), (blank, ())):
        assert isinstance(request, TokenizeRequest) and isinstance(request.of, ChatRequest)
        assert request.of.messages[0].pictures == pictures_of
    blind = Counting()
    with serving(blind, cards=[TEXT]) as pool:
        await pool.load("tiny")
        assert await page.json("GET", f"{address}tiny") == {"tokens": None}
    assert not blind.requests


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PNG[:-8], "It is damaged: the file is cut off."),
        (PNG + b"x" * 2000, "It is larger than 0.0 MB, the largest picture that can be attached"),
        (pictures.png(11, 10), "It has 11 × 10 pixels, and a picture may have 100 in all; make it smaller."),
        (b"\0\0\0\x18ftypheic", "in the format HEIC, which is not supported; save it as JPEG or PNG"),
    ],
)
async def test_one_that_cannot_be_attached_says_why(page: Page, content: bytes, reason: str) -> None:
    with override_settings(CONFIG=Config(picture_bytes=1024, picture_pixels=100)):
        response = await post(page, content, "a.png")
    assert response.status_code == 400 and reason in error_of(response)["message"]
    assert not await sync_to_async(StoredPicture.objects.count)()


async def test_a_picture_may_be_larger_than_a_text(page: Page) -> None:
    with override_settings(CONFIG=Config(max_body_bytes=1024)):
        assert (await post(page, PNG + b"x" * 2000, "a.png")).status_code == 200
        response = await post(page, b"x" * 2000, "a.txt")
        assert "It is larger than 0.0 MB, the largest file" in error_of(response)["message"]

"""Import and export over HTTP: files in parts, progress, reports, and one visitor's files only."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient, override_settings

from inference.core.config import Config
from playground import transfer_api
from playground.imports import uploads
from playground.models import Conversation
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle
from tests.playground.imports import exports

pytestmark = pytest.mark.django_db(transaction=True)
OCTETS = "application/octet-stream"


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.fixture(autouse=True)
def own_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    """No upload of another test is open."""
    monkeypatch.setattr(transfer_api, "UPLOADS", uploads.ChatUploads())


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


async def sent(page: Page, content: bytes, part: int = 1000) -> str:
    """The address of an upload that has arrived in parts."""
    upload = await page.json("POST", "/chat/uploads/", {"size": len(content)})
    address = f"/chat/uploads/{upload['id']}/"
    for offset in range(0, len(content), part):
        await octets(page, f"{address}?offset={offset}", content[offset : offset + part])
    return address


async def octets(page: Page, address: str, content: bytes, media_type: str = OCTETS) -> Any:
    response = await page.client.post(address, content, content_type=media_type)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


async def imported(page: Page, content: bytes) -> Any:
    """The state of an upload once its import has ended."""
    address = await sent(page, content)
    await page.json("POST", f"{address}import/")
    async with asyncio.timeout(20):
        while (state := await page.json("GET", address))["state"] == "importing":
            await asyncio.sleep(0.02)
    return state


async def whole(page: Page, address: str) -> tuple[Any, bytes]:
    response: Any = await page.client.get(address)
    return response, b"".join([part async for part in response.streaming_content])


async def test_a_large_file_arrives_in_parts_and_its_import_is_followed(page: Page) -> None:
    chats = [exports.chatgpt(conversation_id=str(n), title=f"Chat {n}") for n in range(30)]
    state = await imported(page, json.dumps([*chats, {"odd": 1}]).encode())
    assert (state["state"], state["progress"], state["imported"], state["failed"]) == ("done", 1.0, 30, 1)
    assert state["formats"] == ["ChatGPT"]


async def test_the_body_may_be_the_file(page: Page) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("conversations.json", json.dumps([exports.chatgpt(), exports.librechat()]))
    report = await octets(page, "/chat/import/", made.getvalue(), "application/zip")
    assert report["imported"] == 2
    one = await page.json("POST", "/chat/import/", [exports.open_webui()])
    assert (one["title"], one["imported"], one["is_pinned"]) == ("Time", 1, True)
    again = await page.json("POST", "/chat/import/", [exports.open_webui()])
    assert (again["id"], again["duplicate"]) == (one["id"], 1)
    copied = await page.json("POST", "/chat/import/?copies", [exports.open_webui()])
    assert copied["id"] != one["id"]


@pytest.mark.parametrize("content", [b"oops", b"[]", b'{"a": 1}', b"PK\x03\x04damaged"])
async def test_a_file_that_is_no_export_says_so(page: Page, content: bytes) -> None:
    response = await page.client.post("/chat/import/", content, content_type=OCTETS)
    assert response.status_code == 400 and error_of(response)["message"]
    state = await imported(page, content)
    assert state["state"] == "failed" or state["failed"] == 1


async def test_parts_come_in_their_order_and_once(page: Page) -> None:
    address = (await page.json("POST", "/chat/uploads/", {"size": 4}))["id"]
    address = f"/chat/uploads/{address}/"
    await octets(page, f"{address}?offset=0", b"[]")
    assert (await octets(page, f"{address}?offset=0", b"[]"))["received"] == 2  # it was sent again
    for offset, part in [("3", b" "), ("2", b"   "), ("x", b" "), ("", b" "), ("9" * 5000, b" ")]:
        response = await page.client.post(f"{address}?offset={offset}", part, content_type=OCTETS)
        assert response.status_code == 400
    assert (await page.send("POST", f"{address}import/")).status_code == 400


async def test_what_is_too_large_or_too_much_is_refused_at_once(page: Page) -> None:
    response = await page.send("POST", "/chat/uploads/", {"size": 2**30 + 1})
    assert response.status_code == 400 and "larger than 1 GB" in error_of(response)["message"]
    addresses = [await sent(page, b"x") for _ in range(2)]
    assert (await page.send("POST", "/chat/uploads/", {"size": 1})).status_code == 429
    for address in addresses:
        await page.json("DELETE", address)
    assert (await page.send("GET", addresses[0])).status_code == 404
    await page.json("DELETE", await sent(page, b"x"))


async def test_an_upload_that_nobody_finishes_is_forgotten(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "KEPT_S", -1.0)
    first = await sent(page, b"x")
    await page.json("DELETE", await sent(page, b"x"))
    assert (await page.send("GET", first)).status_code == 404


async def test_an_import_is_cancelled_between_chats(page: Page) -> None:
    chats = [exports.chatgpt(conversation_id=str(n)) for n in range(500)]
    address = await sent(page, json.dumps(chats).encode(), 10**6)
    await page.json("POST", f"{address}import/")
    await page.json("DELETE", address)
    async with asyncio.timeout(20):
        while (state := await page.json("GET", address))["state"] == "importing":
            await asyncio.sleep(0.02)
    assert state["is_cancelled"] and state["imported"] < 500
    await page.json("DELETE", address)


async def test_all_chats_are_exported_and_come_back(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        await page.answered("First / question?")
        await page.answered("First / question?")
        await idle()
    response, everything = await whole(page, "/chat/export.json")
    assert "attachment" in response["Content-Disposition"]
    chats = json.loads(everything)["conversations"]
    assert [chat["messages"][0]["content"] for chat in chats] == ["First / question?"] * 2
    archive = zipfile.ZipFile(io.BytesIO((await whole(page, "/chat/export.zip"))[1]))
    day = chats[0]["changed_at"][:10]
    names = [f"{day} First question.md", f"{day} First question (2).md"]
    assert archive.namelist() == names and archive.testzip() is None
    assert "## You\n\nFirst / question?" in archive.read(names[0]).decode()
    assert (await imported(page, everything))["duplicate"] == 2
    await sync_to_async(Conversation.objects.all().delete)()
    assert (await imported(page, everything))["imported"] == 2


async def test_an_export_without_chats_is_a_file_all_the_same(page: Page) -> None:
    assert json.loads((await whole(page, "/chat/export.json"))[1])["conversations"] == []
    assert zipfile.ZipFile(io.BytesIO((await whole(page, "/chat/export.zip"))[1])).namelist() == []
    assert (await page.send("GET", "/chat/export.pdf")).status_code == 404


@pytest.mark.usefixtures("closed")
async def test_one_visitors_files_are_not_anothers(page: Page, async_client: AsyncClient) -> None:
    ada, bob = [await sync_to_async(User.objects.create_user)(name) for name in ("ada", "bob")]
    await async_client.aforce_login(ada)
    address = await sent(page, b"[]")
    await page.json("POST", "/chat/import/", exports.chatgpt())
    await async_client.aforce_login(bob)
    assert (await page.send("GET", address)).status_code == 404
    assert json.loads((await whole(page, "/chat/export.json"))[1])["conversations"] == []
    assert (await page.json("POST", "/chat/import/", exports.chatgpt()))["imported"] == 1
    await async_client.aforce_login(ada)
    await page.json("DELETE", address)
    await async_client.alogout()
    for path in ("/chat/export.json", "/chat/export.zip", address):
        assert (await page.send("GET", path)).status_code == 401

"""The list over HTTP: folders, deleted conversations, and what other windows are sent."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from playground import list_api
from playground.models import Conversation
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/chat/conversations/"


@pytest.fixture
def page(async_client: AsyncClient) -> Page:
    return Page(async_client)


async def folders(page: Page) -> dict[str, int]:
    listed = await page.json("GET", f"{ADDRESS}?unfiled=1")
    return {folder["name"]: folder["count"] for folder in listed["folders"]}


async def test_folders_are_made_renamed_filled_and_removed(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("Hi")
        await page.json("POST", "/chat/folders/", {"name": "  Work "})
        await page.json("PATCH", "/chat/folders/", {"name": "Work", "new_name": "Job / 仕事"})
        await page.json("PATCH", f"{ADDRESS}{conversation}/", {"folder": " Job / 仕事 "})
        assert await folders(page) == {"Job / 仕事": 1}
        within = await page.json("GET", f"{ADDRESS}?folder=Job / 仕事")
        assert [one["id"] for one in within["conversations"]] == [conversation]
        await page.json("DELETE", "/chat/folders/", {"name": "Job / 仕事"})
        assert await folders(page) == {}
        listed = await page.json("GET", f"{ADDRESS}?unfiled=1")
        assert [one["id"] for one in listed["conversations"]] == [conversation]


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", {"name": " "}, 400),
        ("POST", {"name": "x" * 101}, 400),
        ("POST", {"name": "x", "colour": "red"}, 400),
        ("PATCH", {"name": "x"}, 400),
        ("PATCH", {"name": "x", "new_name": "y"}, 404),
        ("DELETE", {"name": "x"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(
    page: Page, method: str, body: dict[str, str], status: int
) -> None:
    assert (await page.send(method, "/chat/folders/", body)).status_code == status


async def test_what_was_deleted_is_listed_restored_and_ended(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        ids = [(await page.answered(text))[0] for text in ("one", "two", "three")]
        for conversation in ids:
            await page.json("DELETE", f"{ADDRESS}{conversation}/")
        listed = await page.json("GET", "/chat/deleted/")
        assert [one["days_left"] for one in listed["conversations"]] == [30, 30, 30]
        await page.json("POST", f"{ADDRESS}{ids[0]}/restore/")
        await page.json("DELETE", f"/chat/deleted/{ids[1]}/")
        assert (await page.send("POST", f"{ADDRESS}{ids[1]}/restore/")).status_code == 404
        await page.json("DELETE", "/chat/deleted/")
        assert (await page.json("GET", "/chat/deleted/"))["count"] == 0
        await asyncio.gather(*list_api._purging)
    assert [one.title async for one in Conversation.objects.all()] == ["one"]


async def test_a_stranger_reaches_none_of_it(page: Page, async_client: AsyncClient) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("Hi")
        await page.json("PATCH", f"{ADDRESS}{conversation}/", {"folder": "Work"})
        await page.json("DELETE", f"{ADDRESS}{conversation}/")
        ann = await sync_to_async(User.objects.create_user)("ann")
        await async_client.aforce_login(ann)
        assert (await folders(page), (await page.json("GET", "/chat/deleted/"))["count"]) == ({}, 0)
        assert (await page.send("DELETE", f"/chat/deleted/{conversation}/")).status_code == 404
        assert (await page.send("DELETE", "/chat/folders/", {"name": "Work"})).status_code == 404

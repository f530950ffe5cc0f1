"""Chats that were made without an account are offered after signing in, and taken over once."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone
from playwright.async_api import expect

from inference.core.config import Config
from playground.folder_store import FolderStore
from playground.models import Conversation
from playground.store import ConversationStore
from playground.takeover import offer
from tests.people import signed_in
from tests.playground.site import visiting

ADDRESS = "/chat/open-conversations/"


def begin(user: User | None, title: str, **facts: Any) -> Conversation:
    owner: Any = user
    return Conversation.objects.create(user=owner, title=title, changed_at=timezone.now(), **facts)


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann")


@pytest.mark.django_db(transaction=True)
def test_they_are_offered_and_taken_over_once(ann: User) -> None:
    beth = User.objects.create_user("beth")
    for number in range(7):
        begin(None, f"open {number}", folder="Work", is_pinned=number == 0)
    begin(None, "deleted", deleted_at=timezone.now())
    begin(beth, "of beth")
    for owner, folder in ((None, "Work"), (None, "Empty"), (ann, "Empty")):
        FolderStore(owner).keep(folder)
    offered = signed_in(ann).get(ADDRESS).json()
    assert offered["count"] == 7 and offered["titles"][0] == "open 6" and len(offered["titles"]) == 5
    assert signed_in(ann).post(ADDRESS).json() == {"count": 7}
    assert signed_in(beth).post(ADDRESS).json() == {"count": 0}
    mine = ConversationStore(ann).page()["conversations"]
    assert {one["title"] for one in mine} == {f"open {number}" for number in range(7)}
    assert {one["folder"] for one in mine} == {"Work"} and sum(one["is_pinned"] for one in mine) == 1
    assert ConversationStore(None).page()["conversations"] == []
    assert sorted(FolderStore(ann).names()) == ["Empty", "Work"] and FolderStore(None).names() == []
    assert offer(ann) == {"count": 0, "titles": []}


@pytest.mark.django_db(transaction=True)
def test_a_visitor_without_an_account_takes_nothing(client: Client) -> None:
    begin(None, "open")
    assert client.get(ADDRESS).json() == {"count": 0, "titles": []}
    assert client.post(ADDRESS).status_code == 403
    assert Conversation.objects.filter(user=None).count() == 1


@pytest.mark.django_db(transaction=True)
@override_settings(CONFIG=Config(api_key="secret"))
def test_where_an_account_is_needed_nobody_takes_them(ann: User) -> None:
    begin(None, "open")
    assert signed_in(ann).get(ADDRESS).json() == {"count": 0, "titles": []}
    assert signed_in(ann).post(ADDRESS).status_code == 403


@pytest.mark.browser
async def test_the_list_says_whose_it_is_and_offers_the_chats(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Alone echo")
        await expect(page.locator(".message.is-assistant")).to_contain_text("user: Alone echo")
        await expect(page.locator("#whose")).to_have_text("Chats on this machine, without an account")
        await page.click("#new-chat")
        await page.fill("#prompt", "half a thought")
        await page.goto(f"{address}admin/login/?next=/")
        await page.fill("#id_username", "clara")
        await page.fill("#id_password", "clara and her cat")
        await page.press("#id_password", "Enter")
        await expect(page.locator("#whose")).to_have_text("Chats of clara")
        await expect(page.locator("#prompt")).to_have_value("half a thought")
        offered = page.get_by_role("region", name="Chats without an account")
        await expect(offered).to_contain_text("Alone echo")
        await offered.get_by_role("button", name="Leave").click()
        await page.reload()
        await expect(page.locator("#whose")).to_have_text("Chats of clara")
        await expect(offered).to_be_hidden()
        await page.evaluate(
            "localStorage.removeItem(Object.keys(localStorage).find((key) => key.includes('left')))"
        )
        await page.reload()
        await offered.get_by_role("button", name="Take over").click()
        await expect(page.locator(".row-link", has_text="Alone echo")).to_have_count(1)
        await expect(offered).to_be_hidden()
        await page.reload()
        await expect(page.locator(".row-link", has_text="Alone echo")).to_have_count(1)
        await expect(offered).to_be_hidden()

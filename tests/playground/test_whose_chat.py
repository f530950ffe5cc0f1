"""Every list says whose a chat is: a shared one, the copy of one, and a deleted one."""

import re

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser


@nightly
async def test_a_shared_chat_and_its_copy_name_their_owner(address: str) -> None:
    async with visiting(address) as visit, visiting(address) as other:
        await visit.sign_in("ann")
        await visit.ask("Shared by ann, please echo")
        await expect(visit.page.locator(".figures")).to_contain_text("tokens/s")
        await visit.page.locator(".unfiled .row").first.hover()
        await visit.page.get_by_label(re.compile("More about Shared by ann")).first.click()
        await visit.page.get_by_role("menuitem", name="Share with users of this site").click()
        await expect(visit.page.locator("#toast")).to_contain_text("link")
        await other.sign_in("dora")
        page = other.page
        await page.goto(visit.page.url)  # leads to the shared page
        await expect(page.locator(".origin")).to_have_text(
            "A chat of ann, shared with all users who may chat here."
        )
        await page.get_by_role("button", name="Continue in my own chat").click()
        await expect(page.locator(".origin")).to_have_text("Your copy of a chat that ann shared.")
        row = page.locator(".unfiled .row", has_text="Shared by ann")
        await expect(row).to_contain_text("from ann")
        await expect(page.locator("#whose")).to_have_text("Chats of dora")
        await page.fill("#search", "Shared by")
        await expect(page.locator(".row", has_text="Shared by ann")).to_contain_text("from ann")
        await page.fill("#search", "")
        await page.get_by_role("button", name="New chat").click()
        await expect(page.locator(".origin")).to_be_hidden()
        await page.click("#deleted-button")
        await expect(page.get_by_role("dialog", name="Deleted")).to_contain_text(
            "Deleted chats of dora can be"
        )
        await expect(visit.page.locator(".origin")).to_be_hidden()

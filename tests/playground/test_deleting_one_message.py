"""One message is deleted from the middle of a chat, in Chromium: by keyboard, undone, and in both windows."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import visiting
from tests.playground.test_verbs import ask, last, more

pytestmark = pytest.mark.browser
ALONE = "Delete only this message"


async def questions(page: Page) -> list[str]:
    return await page.locator(".message.is-user .prose").all_inner_texts()


@nightly
async def test_what_follows_stays_and_undo_puts_it_back(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        for text in ("First echo", "Second echo", "Third echo"):
            await ask(visit, text)
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".message")).to_have_count(6)
        question, answer = page.locator(".message.is-user"), page.locator(".message.is-assistant")
        await more(question.first).click()
        item = page.get_by_role("menuitem", name=ALONE)
        await expect(item).to_have_attribute("aria-disabled", "true")
        await expect(item).to_contain_text("a chat begins with a question")
        await page.keyboard.press("Escape")
        await more(question.nth(1)).focus()
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_role("menuitem", name=ALONE)).to_be_focused()
        await page.keyboard.press("Enter")
        for window in (page, other):
            await expect(window.locator(".message")).to_have_count(5)
            assert await questions(window) == ["First echo", "Third echo"]
        await expect(page.locator("#toast")).to_contain_text("What follows it stays.")
        await expect(page.get_by_role("button", name="Undo").last).to_be_focused()
        await expect(answer.nth(1).get_by_role("button", name="Regenerate")).to_be_hidden()
        await page.keyboard.press("Enter")
        for window in (page, other):
            await expect(window.locator(".message")).to_have_count(6)
            assert await questions(window) == ["First echo", "Second echo", "Third echo"]
        await choose(answer.nth(1), ALONE)
        await expect(page.locator(".message")).to_have_count(5)
        await page.reload()
        await expect(page.locator(".message")).to_have_count(5)
        await ask(visit, "Fourth echo")
        await expect(last(page)).to_contain_text(re.compile(r"user: Second echo\s*Third echo"))
        await visit.ask("Talk forever")
        await expect(last(page)).to_contain_text("calm way")
        await more(question.nth(1)).click()
        await expect(item).to_contain_text("an answer is being written in this branch")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(last(page)).to_have_attribute("data-status", "stopped")
        assert visit.complaints == []

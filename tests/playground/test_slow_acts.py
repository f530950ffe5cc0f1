"""A slow server: what is done once more before its answer is done once, and forms wait for the answer."""

import re

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import visiting
from tests.playground.slow_site import (
    ANSWER,
    CHAT_OF_PAGE,
    OPENED,
    PROSE,
    click,
    ended,
    holding,
    shows,
    two_chats,
)

pytestmark = pytest.mark.browser


async def test_an_edited_answer_is_saved_once_and_what_is_typed_meanwhile_is_not_lost(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Original echo")
        await ended(page)
        await choose(page.locator(ANSWER), "Edit")
        field = page.get_by_label("Edit the answer").locator("textarea")
        await field.fill("Better")
        async with holding(page, re.compile(r"/chat/messages/\d+/$"), "PATCH") as saving:
            await field.press("Control+Enter")
            await saving.arrived()
            await field.press_sequentially(" and more")
            await field.press("Control+Enter")
            await field.press("Escape")
            await expect(field).to_have_value("Better")
            await expect(field).to_have_js_property("readOnly", True)
            saving.release()
            await expect(field).to_have_count(0)
            assert saving.count == 1
        await expect(page.locator(PROSE)).to_have_text("Better")
        assert visit.complaints == []


@nightly
async def test_an_edited_question_that_is_on_its_way_waits_for_its_answer_in_the_reopened_chat(
    address: str,
) -> None:
    async with visiting(address) as visit:
        page, field = visit.page, visit.page.get_by_label("Edit your question")
        first, second = await two_chats(visit)
        await page.get_by_label("Edit question").click()
        await field.fill("Changed echo")
        async with holding(page, "**/chat/ask/", "POST", acts_at_once=False) as asked:
            await field.press("Enter")
            await asked.arrived()
            await click(page, first)
            await shows(page, first)
            await click(page, second)
            await expect(field).to_have_js_property("readOnly", True)
            await field.press("Enter")
            asked.release()
            await expect(field).to_have_count(0)
            assert asked.count == 1
        whole = await page.evaluate(CHAT_OF_PAGE)
        assert len([one for one in whole["messages"] if one["role"] == "user"]) == 2


async def test_what_is_clicked_twice_is_done_once(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Twice echo")
        await ended(page)
        answer = page.locator(ANSWER)
        async with holding(
            page, re.compile(r"/chat/messages/\d+/branch/"), "POST", acts_at_once=False
        ) as branching:
            await choose(answer, "Branch into a new chat")
            await branching.arrived()
            await choose(answer, "Branch into a new chat")
            await expect(page.locator("#waiting")).to_be_visible()
            branching.release()
            await expect(page.locator("#toast")).to_contain_text("This is a new chat, branched from")
            assert branching.count == 1
        await expect(page.locator("#waiting")).to_be_hidden()
        async with holding(
            page, re.compile(r"/chat/messages/\d+/$"), "DELETE", acts_at_once=False
        ) as deleting:
            await choose(answer, "Delete")
            await deleting.arrived()
            await choose(answer, "Delete")
            deleting.release()
            await expect(page.locator(ANSWER)).to_have_count(0)
            assert deleting.count == 1
        await expect(page.locator(".toast")).to_have_count(2)
        assert visit.complaints == []


@nightly
async def test_a_chat_is_deleted_and_restored_once(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        row = page.locator(".row", has_text=first)
        async with holding(page, OPENED, "DELETE", acts_at_once=False) as deleting:
            await row.hover()
            for _ in range(2):
                await row.get_by_label(f"More about {first}").click()
                await page.get_by_role("menuitem", name="Delete", exact=True).click()
                await deleting.arrived()
            deleting.release()
            await expect(row).to_have_count(0)
            assert deleting.count == 1
        await expect(page.locator(".toast")).to_have_count(1)
        await page.click("#deleted-button")
        restore = page.get_by_role("button", name=f"Restore {first}")
        async with holding(page, re.compile("/restore/"), "POST", acts_at_once=False) as restoring:
            await restore.click()
            await restoring.arrived()
            await expect(restore).to_be_disabled()
            restoring.release()
            await expect(restore).to_have_count(0)
        await expect(page.locator("#deleted-problem")).to_be_empty()


@nightly
async def test_a_prompt_is_saved_and_deleted_once(address: str) -> None:
    async with visiting(address) as visit:
        await visit.sign_in("dora")
        page = visit.page
        await page.click("#settings-button")
        await page.get_by_label("System prompt").fill("Be brief.")
        await page.evaluate("document.querySelector('.library').open = true")
        await page.fill("#prompt-name", "Brief")
        async with holding(page, re.compile("/chat/prompts/"), "POST", acts_at_once=False) as saving:
            for _ in range(2):
                await page.press("#prompt-name", "Enter")
                await saving.arrived()
            saving.release()
            await expect(page.locator("#toast")).to_contain_text("“Brief” was saved.")
            assert saving.count == 1
        delete = page.locator(".library-item").get_by_role("button", name="Delete Brief")
        async with holding(page, re.compile("/chat/prompts/"), "DELETE", acts_at_once=False) as deleting:
            for _ in range(2):
                await delete.click()
                await deleting.arrived()
            deleting.release()
            await expect(delete).to_have_count(0)
            assert deleting.count == 1

"""A slow server: no text is lost, and late answers leave the present chat alone."""

import re

import pytest
from playwright.async_api import expect

from tests.nightly import nightly, of_each_kind
from tests.playground.menus import choose
from tests.playground.site import visiting
from tests.playground.slow_site import (
    ANSWER,
    OPENED,
    PROSE,
    click,
    ended,
    holding,
    questions,
    shows,
    two_chats,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("is_lost", of_each_kind([False, True], [False]))
async def test_of_several_chats_the_last_one_clicked_is_shown(address: str, is_lost: bool) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        await page.click("#new-chat")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            late.is_on = False
            await click(page, second)
            await shows(page, second)
            await prompt.fill("for the second")
            late.lose() if is_lost else late.release()
        await page.evaluate("fetch('/chat/conversations/').then((r) => r.text())")
        await shows(page, second)
        await expect(prompt).to_have_value("for the second")
        await prompt.press("Enter")
        await shows(page, second, 2)
        assert await questions(page) == [second, "for the second"]


@nightly
async def test_a_new_chat_stays_new_when_an_earlier_one_has_loaded(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await page.click("#new-chat")
            await page.fill("#prompt", "a new thought")
            late.release()
        await page.evaluate("fetch('/chat/conversations/').then((r) => r.text())")
        await expect(page.locator(".message")).to_have_count(0)
        assert page.url == visit.address
        await expect(page.locator("#prompt")).to_have_value("a new thought")


@nightly
async def test_a_chat_that_could_not_be_loaded_is_tried_again_and_the_open_one_stays(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        await prompt.fill("for the second")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await expect(page.locator(".row-link[aria-current]")).to_contain_text(first)
            await prompt.fill("for the first")
            late.lose()
            again = page.get_by_role("button", name="Try again")
            await expect(again).to_be_visible()
        await shows(page, second)
        await expect(prompt).to_have_value("for the second")
        await again.click()
        await shows(page, first)
        await expect(prompt).to_have_value("for the first")


@nightly
async def test_nothing_is_done_to_the_chat_that_is_being_left(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        await page.click("#new-chat")
        await visit.ask("Count forever")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
            await page.press("#prompt", "Escape")
            await expect(page.locator("#thread")).to_have_js_property("inert", True)
            await visit.ask("For the first echo")
            late.release()
        await shows(page, first, 2)
        await expect(page.locator(PROSE)).to_contain_text("user: For the first echo")
        await click(page, "Count forever")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


@nightly
async def test_other_chats_can_be_asked_while_a_question_is_being_sent(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        async with holding(page, "**/chat/ask/", "POST") as asked:
            await visit.ask("Again echo")
            await asked.arrived()
            await prompt.fill("and then this")
            asked.is_on = False
            await click(page, first)
            await shows(page, first)
            await visit.ask("Again echo")
            await shows(page, first, 2)
            await prompt.fill("for the first")
            asked.release()
        await ended(page)
        await shows(page, first, 2)
        await expect(prompt).to_have_value("for the first")
        await click(page, second)
        await shows(page, second, 2)
        await expect(prompt).to_have_value("and then this")
        assert await questions(page) == [second, "Again echo"]


@nightly
async def test_a_question_that_hangs_is_taken_back_by_stop_and_is_asked_once(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await page.route_web_socket(re.compile("/ws/chats/"), lambda socket: None)  # connected, and silent
        await page.reload()
        async with holding(page, "**/chat/ask/", "POST") as asked:
            await visit.ask("Patient echo")
            await asked.arrived()
            await page.get_by_role("button", name="Stop", exact=True).click()
            await expect(prompt).to_have_value("Patient echo")
            asked.release()
        await prompt.press("Enter")
        await expect(page.locator(PROSE)).to_contain_text("user: Patient echo")
        await ended(page)
        assert await questions(page) == ["Patient echo"]


@nightly
async def test_late_news_of_another_window_takes_nothing_back(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Seen echo")
        await ended(page)
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".message")).to_have_count(2)
        async with holding(page, OPENED) as late:
            await other.fill("#prompt", "Second turn echo")
            await other.press("#prompt", "Enter")
            await late.arrived()
            await expect(other.locator(".message")).to_have_count(4)
            await ended(other)
            await choose(page.locator(ANSWER).first, "Edit")
            field = page.get_by_label("Edit the answer").locator("textarea")
            await field.fill("Edited here")
            await field.press("Control+Enter")
            await expect(field).to_have_count(0)
            await other.fill("#prompt", "Third turn echo")
            await other.press("#prompt", "Enter")
            await ended(other)
            late.is_on = False
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            late.release()
        await expect(page.locator(".message.is-user")).to_have_count(3)
        await expect(page.locator(".message.is-assistant").first.locator("> .prose")).to_have_text(
            "Edited here"
        )

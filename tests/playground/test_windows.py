"""Several windows of one chat: turns are pushed, no branch is made unsaid, and no text vanishes."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_drafts import ANSWER, PROSE, ended

pytestmark = pytest.mark.browser


async def send(page: Page, text: str) -> None:
    await page.fill("#prompt", text)
    await page.press("#prompt", "Enter")


async def test_windows_show_each_others_turns_and_go_on_after_the_newest(address: str) -> None:
    async with visiting(address) as visit:
        one = visit.page
        await send(one, "First echo")
        await ended(one)
        other = await one.context.new_page()
        await other.goto(one.url)
        await ended(other)
        await one.get_by_label("Edit question").click()
        await one.get_by_label("Edit your question").fill("an open echo")
        await one.fill("#prompt", "a text that is typed")
        await send(other, "Second echo")
        await expect(one.locator(PROSE)).to_contain_text("user: Second echo")
        await ended(one)
        await expect(one.get_by_label("Edit your question")).to_have_value("an open echo")
        await expect(one.locator("#prompt")).to_have_value("a text that is typed")
        await one.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await send(one, "Third echo")
        await expect(other.locator(PROSE)).to_contain_text("user: Second echo | assistant:")
        await ended(other)
        await expect(other.locator(".takes-place:visible")).to_have_count(0)
        await one.get_by_label("Edit your question").press("Enter")  # a branch on purpose
        await expect(one.locator(PROSE)).to_contain_text("user: an open echo")
        await expect(other.locator("#toast")).to_contain_text("This chat was continued in another window.")
        await expect(other.locator(".message")).to_have_count(6)
        await other.get_by_role("button", name="Show", exact=True).click()
        await expect(other.locator(PROSE)).to_contain_text("user: an open echo")


@nightly
async def test_a_window_without_news_asks_before_it_goes_on(address: str) -> None:
    async with visiting(address) as visit:
        one = visit.page
        await send(one, "First echo")
        await ended(one)
        other = await one.context.new_page()

        async def silent(socket: WebSocketRoute) -> None:
            pass  # connected, and nothing comes

        await other.route_web_socket(re.compile("/ws/chats/"), silent)
        await other.goto(one.url)
        await ended(other)
        await send(one, "Second echo")
        await expect(one.locator(PROSE)).to_contain_text("user: Second echo")
        await ended(one)
        await send(other, "Third echo")
        await expect(other.locator("#toast")).to_contain_text(
            "This chat was continued in another window. Send again"
        )
        await expect(other.locator("#prompt")).to_have_value("Third echo")
        await expect(other.locator(PROSE)).to_contain_text("user: Second echo")
        await ended(other)
        await other.press("#prompt", "Enter")
        await expect(other.locator(PROSE)).to_contain_text("user: Third echo")
        await expect(other.locator(PROSE)).to_contain_text("user: Second echo")


@nightly
async def test_a_chat_that_another_window_deletes_stops_answering_and_keeps_the_text(address: str) -> None:
    async with visiting(address) as visit:
        one = visit.page
        await send(one, "Windows forever")
        await expect(one.locator(PROSE)).to_contain_text("calm way")
        other = await one.context.new_page()
        await other.goto(one.url)
        await expect(other.locator(PROSE)).to_contain_text("calm way")
        await other.fill("#prompt", "what I meant to add")
        row = one.locator(".row", has_text="Windows forever")
        await row.hover()
        await row.locator(".mini").click()
        await one.get_by_role("menuitem", name="Delete").click()
        await expect(other.locator("#toast")).to_contain_text("This chat was deleted in another window.")
        await expect(other.locator("#prompt")).to_have_value("what I meant to add")
        await expect(one.locator(".picker-state")).to_have_text("ready")  # the model was let go
        await other.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(other.locator(ANSWER)).to_have_attribute("data-status", "stopped")
        await expect(other.locator(PROSE)).to_contain_text("calm way")
        await expect(other.locator("#prompt")).to_have_value("what I meant to add")


@nightly
async def test_a_chat_that_is_left_while_it_is_asked_keeps_its_turn(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await send(page, "Left echo")
        await ended(page)
        await page.click("#new-chat")

        is_over = asyncio.Event()

        async def wait(route: Route) -> None:
            response = await route.fetch()
            await asyncio.sleep(1)  # the answer ends, and both changes are known while the page still asks
            await page.locator(".row-link", has_text="Left echo").click()
            await expect(page.locator(PROSE)).to_contain_text("Left echo")
            await route.fulfill(response=response)
            is_over.set()

        await page.route("**/chat/ask/", wait)
        await send(page, "Leaving echo")
        await is_over.wait()
        await expect(page.locator(".row-link", has_text="Leaving echo")).to_have_count(1)
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator("#prompt")).to_have_value("")
        await page.unroute("**/chat/ask/")
        await page.click("#new-chat")
        await expect(page.locator("#prompt")).to_have_value("")

        async def begin_anew(route: Route) -> None:
            response = await route.fetch()
            await page.click("#new-chat")
            await route.fulfill(response=response)

        await page.route("**/chat/ask/", begin_anew)
        await send(page, "Begun echo")
        await expect(page.locator(".row-link", has_text="Begun echo")).to_have_count(1)
        await expect(page.locator("#prompt")).to_have_value("")
        await expect(page.locator("#welcome")).to_be_visible()


@nightly
async def test_after_the_session_has_ended_the_way_back_leads_to_the_chat(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.sign_in("ann")
        await send(page, "First echo")
        await ended(page)
        chat = page.url
        await page.fill("#prompt", "echo written before")
        other = await page.context.new_page()
        await other.goto(address)
        await other.get_by_role("button", name="Your account").click()
        await other.get_by_role("button", name="Sign out").click()
        await expect(other.locator("#whose")).to_have_text("Chats on this machine, without an account")
        await page.locator("#prompt").press_sequentially(", and after")
        await page.press("#prompt", "Enter")
        notice = page.locator("#trouble")
        await expect(notice).to_contain_text("You are signed out. Your text is kept")
        await expect(page.locator("#prompt")).to_have_value("echo written before, and after")
        await notice.get_by_role("link", name="Sign in").click()
        await page.fill("#id_username", "ann")
        await page.fill("#id_password", "ann and her cat")
        await page.press("#id_password", "Enter")
        await expect(page).to_have_url(chat)
        await expect(page.locator("#prompt")).to_have_value("echo written before, and after")
        await expect(other.locator("#prompt")).to_have_value("")
        await expect(page.locator(PROSE)).to_contain_text("user: First echo")
        await page.press("#prompt", "Enter")
        await ended(page)
        await send(other, "in the page of before")  # it belongs to nobody, and ann is signed in
        await expect(other.locator("#trouble")).to_contain_text("Your text is kept")
        await expect(other.locator("#prompt")).to_have_value("in the page of before")
        await other.locator("#trouble").get_by_role("link", name="Reload the page").click()
        await expect(other.locator("#whose")).to_have_text("Chats of ann")
        await expect(other.locator("#prompt")).to_have_value("in the page of before")
        await page.context.clear_cookies()
        await send(page, "without cookies")
        await expect(notice.get_by_role("link", name=re.compile("Sign in|Reload"))).to_be_visible()
        await expect(page.locator("#prompt")).to_have_value("without cookies")

"""Notices have a place of their own, stay while somebody reads them, and end by keyboard."""

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
SHOW = """([text, name]) => import("/static/playground/toast.js").then(({ toast }) =>
  toast(text, name && { name, act: () => { document.title = name; } }))"""


async def show(page: Page, text: str, name: str | None = None) -> None:
    await page.evaluate(SHOW, [text, name])


async def test_several_stand_above_the_field_and_cover_nothing(address: str) -> None:
    async with visiting(address, viewport={"width": 390, "height": 700}) as visit:
        page = visit.page
        await visit.ask("Please echo")
        for text in ("The first notice.", "The second notice.", "The second notice."):
            await show(page, text, "Show")
        await expect(page.locator(".toast")).to_have_count(2)
        places = await page.evaluate(
            """["#scroll", "#toast", "#composer"].map((one) => document.querySelector(one))
              .flatMap((one) => [one.getBoundingClientRect().top, one.getBoundingClientRect().bottom])"""
        )
        assert places == sorted(places)
        await show(page, "The second notice.", "Undo")  # of another act
        await expect(page.locator(".toast")).to_have_count(3)
        for number in range(6):
            await show(page, f"Notice {number}")
        await expect(page.locator(".toast")).to_have_count(4)
        await expect(page.get_by_role("status").filter(has_text="Notice 5")).to_be_visible()


async def test_each_is_reached_and_ended_by_keyboard(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await show(page, "The chat was deleted.", "Undo")
        await show(page, "The server is back.")
        await page.focus("#prompt")
        await page.keyboard.press("Shift+Tab")
        await expect(page.locator(".toast").last.get_by_label("Dismiss")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator(".toast")).to_have_count(1)
        await page.locator(".toast").get_by_role("button", name="Undo").focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_title("Undo")
        await expect(page.locator("#toast")).to_be_hidden()
        await expect(page.locator("#prompt")).to_be_focused()


async def test_one_stays_while_it_is_looked_at(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.clock.install()
        await page.reload()
        await show(page, "Short.")
        await page.locator(".toast").hover()
        await page.clock.run_for(60_000)
        await expect(page.locator(".toast")).to_be_visible()
        await page.mouse.move(5, 5)
        await page.locator(".toast button").focus()
        await page.clock.run_for(60_000)
        await expect(page.locator(".toast")).to_be_visible()
        await page.focus("#prompt")
        await page.clock.run_for(7000)
        await expect(page.locator(".toast")).to_be_visible()
        await page.clock.run_for(2000)
        await expect(page.locator("#toast")).to_be_hidden()


@nightly
async def test_one_is_seen_while_the_sidebar_covers_the_page(address: str) -> None:
    async with visiting(address, viewport={"width": 390, "height": 700}) as visit:
        page = visit.page
        await page.click("#sidebar-toggle")
        await show(page, "The chat was deleted.", "Undo")
        await expect(page.locator("#sidebar .toast")).to_be_visible()
        await page.locator("#sidebar .toast").get_by_role("button", name="Undo").click()
        await page.keyboard.press("Control+/")
        await show(page, "Another.")
        await expect(page.locator("dialog .toast")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#sidebar .toast")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(".dock #toast .toast")).to_be_visible()

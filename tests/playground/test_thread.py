"""A long chat: what is near the screen is drawn, the rest is plain text; a reader stays where they are."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly, of_each_kind
from tests.playground.site import Visit, visiting

pytestmark = pytest.mark.browser
MESSAGES = 1000
IMPORT = """async (body) => {
  const token = document.querySelector("#composer [name=csrfmiddlewaretoken]").value;
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const response = await fetch("/chat/import/", { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()).id;
}"""
TO_END = """(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(
  document.querySelector("#scroll"))"""
AT_END = f"{TO_END} <= 4"
DRAWN = """[...document.querySelectorAll(".message")].filter((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).every((one) => !one.querySelector(".is-plain"))"""


def long_chat(title: str) -> dict[str, Any]:
    messages = [
        {
            "id": number,
            "parent": number - 1 or None,
            "role": "user" if number % 2 else "assistant",
            "content": f"{title}, {number}: **bold**",
        }
        for number in range(1, MESSAGES + 1)
    ]
    return {"format": "mlxsite-conversation-1", "title": title, "messages": messages}


async def until(page: Page, expression: str) -> None:
    """Wait for what the page's policy lets no polling of Playwright wait for."""
    async with asyncio.timeout(15):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.02)


async def open_long_chat(visit: Visit, title: str) -> None:
    chat = await visit.page.evaluate(IMPORT, long_chat(title))
    await visit.page.goto(f"{visit.address}c/{chat}")
    await expect(visit.page.locator(".message")).to_have_count(MESSAGES)


@nightly
async def test_a_thousand_messages_are_drawn_as_they_come_near(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await open_long_chat(visit, "A long chat")
        assert await page.locator("#thread *").count() < 5 * MESSAGES
        scroll = page.locator("#scroll")
        await until(page, AT_END)
        await expect(page.locator(".message").last.locator("strong")).to_be_visible()
        first = page.locator(".message").first
        await expect(first).to_contain_text("**bold**")  # as plain text, which a search in the page finds
        await scroll.evaluate("async (node) => { node.scrollTop = node.scrollHeight / 2; }")
        await expect(page.locator("#jump")).to_be_visible()
        await until(page, DRAWN)
        await page.click("#jump")
        await until(page, AT_END)
        await visit.ask("Have it cut")
        await expect(page.locator(".message")).to_have_count(MESSAGES + 2)
        await until(page, AT_END)
        await page.evaluate("dispatchEvent(new Event('beforeprint'))")
        await expect(page.locator(".prose.is-plain")).to_have_count(0)
        await expect(page.locator(".message").nth(1).locator("strong")).to_have_text("bold")
        assert visit.complaints == []


@nightly
async def test_the_way_to_the_newest_covers_no_words(address: str) -> None:
    async with visiting(address, reduced_motion="reduce") as visit:
        page, jump = visit.page, visit.page.locator("#jump")
        await visit.ask("How does one list primes?")
        await expect(page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        for width, height in of_each_kind([(1280, 500), (390, 700)], [(390, 700)]):
            await page.set_viewport_size({"width": width, "height": height})
            await page.reload()  # the list of chats is closed at first on a phone
            await expect(page.locator(".figures")).to_contain_text("tokens/s")
            await until(page, AT_END)
            await expect(jump).to_be_hidden()
            await page.locator("#scroll").evaluate("(node) => { node.scrollTop -= 200; }")
            await expect(jump).to_be_visible()
            boxes = [await page.locator(part).bounding_box() for part in ("#scroll", "#jump", "#composer")]
            scroll, button, field = (box or pytest.fail("it is not shown") for box in boxes)
            assert scroll["y"] + scroll["height"] <= button["y"]
            assert button["y"] + button["height"] <= field["y"] and field["y"] + field["height"] <= height
            await jump.click()
            await until(page, AT_END)


WATCH_OTHERS = """() => {
  window.changed = new Set();
  const last = document.querySelector("#thread .message:last-child");
  new MutationObserver((changes) => {
    const others = changes.filter(({ target }) => !last.contains(target) && target.id !== "thread");
    for (const { target } of others) changed.add(target.className);
  }).observe(document.querySelector("#thread"), { subtree: true, childList: true, characterData: true });
}"""


@nightly
async def test_a_growing_answer_of_a_long_chat_draws_no_other_message(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await open_long_chat(visit, "Another long chat")
        await until(page, AT_END)
        await visit.ask("How does one list primes?")
        await expect(page.locator(".prose pre").last).to_be_visible()
        await page.evaluate(WATCH_OTHERS)
        await expect(page.locator(".message").last.locator(".figures")).to_contain_text(
            "tokens/s", timeout=20_000
        )
        assert await page.evaluate("[...changed]") == []
        assert await page.locator(".message:not(:has(.is-plain))").count() < 60


async def test_a_reader_stays_where_they_are_while_the_answer_grows(address: str) -> None:
    async with visiting(address, viewport={"width": 900, "height": 500}) as visit:
        page = visit.page
        scroll = page.locator("#scroll")
        await visit.ask("How does one list primes?")
        await expect(page.locator(".prose li").first).to_be_visible()
        await until(page, AT_END)
        await scroll.hover()
        await page.mouse.wheel(0, -40)  # less than what counts as near the end
        await until(page, f"{TO_END} > 4")
        at = await scroll.evaluate("node => node.scrollTop")
        await expect(page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        assert await scroll.evaluate("node => node.scrollTop") == at
        await page.click("#jump")
        await until(page, AT_END)

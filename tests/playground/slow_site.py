"""Requests of a page that are held back: what a slow or lost server does, without waiting for a clock."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.playground.site import Visit

ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
numbers = itertools.count()  # the tests of a process have one list of chats
CHAT_OF_PAGE = "fetch(`/chat/conversations/${location.pathname.slice(3)}/`).then((r) => r.json())"
OPENED = re.compile(r"/chat/conversations/[0-9a-f-]{36}/$")  # one chat: read, changed, or deleted


class Held:
    """Requests of one kind. The server acts on them at once, or once they are released."""

    def __init__(self, method: str, *, acts_at_once: bool) -> None:
        self.method = method
        self.acts_at_once = acts_at_once
        self.count = 0
        self.is_on = True  # later requests of the kind pass while it is not
        self._arrived = asyncio.Event()
        self._released = asyncio.Event()
        self._is_lost = False

    async def arrived(self) -> None:
        """Wait for the first request."""
        async with asyncio.timeout(15):
            await self._arrived.wait()

    def release(self) -> None:
        self._released.set()

    def lose(self) -> None:
        """The connection ends without an answer."""
        self._is_lost = True
        self._released.set()

    async def handle(self, route: Route) -> None:
        if route.request.method != self.method or not self.is_on:
            await route.fallback()
            return
        self.count += 1
        response = await route.fetch() if self.acts_at_once else None
        self._arrived.set()
        await self._released.wait()
        if self._is_lost:
            await route.abort()
        elif response:
            await route.fulfill(response=response)
        else:
            await route.continue_()


@asynccontextmanager
async def holding(
    page: Page, address: str | re.Pattern[str], method: str = "GET", *, acts_at_once: bool = True
) -> AsyncIterator[Held]:
    """Hold back these requests, or only the answers to them, while the block runs."""
    held = Held(method, acts_at_once=acts_at_once)
    await page.route(address, held.handle)
    try:
        yield held
    finally:
        held.is_on = False
        held.release()


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


async def two_chats(visit: Visit) -> tuple[str, str]:
    """The titles of two chats in the list, of which the second one is open."""
    number = next(numbers)
    titles = f"First {number} echo", f"Second {number} echo"
    for title in titles:
        await visit.page.click("#new-chat")
        await visit.ask(title)
        await ended(visit.page)
        await expect(visit.page.locator(".row-link", has_text=title)).to_be_visible()
    return titles


async def click(page: Page, title: str) -> None:
    await page.locator(".row-link", has_text=title).click()


async def shows(page: Page, question: str, count: int = 1, title: str = "") -> None:
    await expect(page.locator(".message.is-user")).to_have_count(count)
    await expect(page.locator(".message.is-user").first).to_contain_text(question)
    await expect(page.locator(".row-link[aria-current]")).to_contain_text(title or question)


async def questions(page: Page) -> list[str]:
    whole: Any = await page.evaluate(CHAT_OF_PAGE)
    return [one["content"] for one in whole["messages"] if one["role"] == "user"]

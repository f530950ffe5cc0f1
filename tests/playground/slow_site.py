"""Requests of a page that are held back: what a slow or lost server does, without waiting for a clock."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, Route

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

"""The one browser of a run, and the contexts that visits have one after another."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    Playwright,
    async_playwright,
)

BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUM = Path(next(filter(None, map(shutil.which, BROWSERS)), MAC_CHROME))
# Chromium as root in a container: no sandbox of its own, and /dev/shm is small there.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
HAS_OWN_CLOCK = "!String(setTimeout).includes('[native code]')"
OWN = {"storage_state", "permissions"}  # options that give a context what resetting it takes away


class Cleaner(NamedTuple):
    """An empty page of a context, which stays: each page costs a process, and what is stored is a page's."""

    page: Page
    session: CDPSession


class Chromium:
    """Starting it takes as long as many a visit.

    A context keeps the files that it has fetched, which halves the processor time of a visit: a page has a
    hundred of them. So the next visit to the same site with the same options has the same context, without
    what the one before stored in it.
    """

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._origin = ""  # of the site whose contexts are kept
        self._idle: dict[str, BrowserContext] = {}  # by the options that they were made with
        self._cleaners: WeakKeyDictionary[BrowserContext, Cleaner] = WeakKeyDictionary()

    async def started(self) -> Browser:
        """The browser, started if it is not there or was lost; every caller has the same event loop."""
        if self._playwright is None:
            self._playwright = await async_playwright().start()
        if self._browser is None or not self._browser.is_connected():
            launch = self._playwright.chromium.launch
            self._browser = await launch(executable_path=CHROMIUM, args=ARGUMENTS)
            self._idle.clear()
        return self._browser

    @contextlib.asynccontextmanager
    async def blank_page(self, address: str, **options: object) -> AsyncIterator[Page]:
        """A page of a context that has nothing stored; two at the same time have different contexts."""
        browser = await self.started()
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        await self._keep_only(origin)
        kind = repr(sorted(options.items()))
        context = self._idle.pop(kind, None) or await browser.new_context(**options)  # type: ignore[arg-type]
        try:
            yield await context.new_page()
        finally:
            await asyncio.shield(self._take_back(context, kind, origin, bool(OWN & options.keys())))

    async def close(self) -> None:
        if self._browser:
            await self._browser.close()
        if self._playwright:
            await self._playwright.stop()

    async def _keep_only(self, origin: str) -> None:
        if origin == self._origin:
            return
        self._origin = origin
        for context in self._idle.values():
            await context.close()
        self._idle.clear()

    async def _take_back(self, context: BrowserContext, kind: str, origin: str, is_own: bool) -> None:
        if is_own or origin != self._origin or kind in self._idle:
            return await context.close()
        if await _has_own_clock(context):
            return await context.close()
        cleaner = self._cleaners.get(context) or await self._cleaner_of(context)
        for page in context.pages:
            if page is not cleaner.page:
                await page.close()
        await context.clear_cookies()
        await context.clear_permissions()
        await context.set_offline(False)
        await context.unroute_all()
        stored = {"origin": origin, "storageTypes": "all"}
        await cleaner.session.send("Storage.clearDataForOrigin", stored)
        self._idle[kind] = context

    async def _cleaner_of(self, context: BrowserContext) -> Cleaner:
        page = await context.new_page()
        self._cleaners[context] = Cleaner(page, await context.new_cdp_session(page))
        return self._cleaners[context]


async def _has_own_clock(context: BrowserContext) -> bool:
    """Whether a page has a clock of the test's: it would stand still for the pages after it, too."""
    return any([await page.evaluate(HAS_OWN_CLOCK) for page in context.pages])


BROWSER = Chromium()

"""A real Daphne with the fake site, and Chromium looking at it."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
    expect,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
CHROMIUM = Path(next(filter(None, map(shutil.which, BROWSERS)), MAC_CHROME))
# Chromium as root in a container: no sandbox of its own, and /dev/shm is small there.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
START_S = 60.0
expect.set_options(timeout=15_000)  # two shared cores can be slow; a pass does not wait


@contextlib.contextmanager
def fake_site() -> Iterator[str]:
    """Serve the fake site in a process of its own; yields its address."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.playground.fake_site", str(port)]
    address = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            _wait_until_ready(process, address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the fake site ended; it says why above")
        with contextlib.suppress(OSError), urlopen(address, timeout=5):
            return
        time.sleep(0.1)
    raise TimeoutError("the fake site did not answer")


@dataclass
class Visit:
    """One page, and everything it did that a clean page does not do."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    async def open(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)
        await self.page.goto(self.address)

    async def ask(self, words: str) -> None:
        await self.page.fill("#prompt", words)
        await self.page.press("#prompt", "Enter")

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.elsewhere.append(request.url)


@contextlib.asynccontextmanager
async def visiting(address: str, **options: object) -> AsyncIterator[Visit]:
    """Open the page in a browser with nothing remembered."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context: BrowserContext = await browser.new_context(**options)  # type: ignore[arg-type]
        visit = Visit(await context.new_page(), address)
        await visit.open()
        try:
            yield visit
        finally:
            await asyncio.shield(browser.close())

"""A real Daphne with the fake site, and Chromium looking at it."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from playwright.async_api import ConsoleMessage, Page, Request, expect

from tests.playground.chromium import BROWSER

START_S = 60.0
expect.set_options(timeout=15_000)  # two shared cores can be slow; a pass does not wait


@contextlib.contextmanager
def fake_site(
    port: int = 0, models: str = "scripted", module: str = "tests.playground.fake_site"
) -> Iterator[str]:
    """Serve the fake site in a process of its own, at a free port unless one is named; yields its address."""
    port = port or free_port()
    command = [sys.executable, "-m", module, str(port), models]
    address = f"http://127.0.0.1:{port}/"
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            _wait_until_ready(process, address)
            yield address
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """A port of loopback that nobody uses now."""
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

    async def ask(self, question: str) -> None:
        await self.page.fill("#prompt", question)
        await self.page.press("#prompt", "Enter")

    async def sign_in(self, name: str, password: str = "") -> None:
        """As one of the fake site's accounts."""
        await self.page.goto(f"{self.address}login/")
        await self.page.fill("#id_username", name)
        await self.page.fill("#id_password", password or f"{name} and her cat")
        await self.page.press("#id_password", "Enter")
        await self.page.wait_for_url(self.address)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.elsewhere.append(request.url)


@contextlib.asynccontextmanager
async def capturing(address: str, seconds: int = 3600) -> AsyncIterator[None]:
    """Have the fake site capture text while the block runs."""
    await asyncio.to_thread(_keep_words, address, seconds)
    try:
        yield
    finally:
        await asyncio.to_thread(_keep_words, address, 0)


async def set_download(address: str, state: str) -> None:
    """Have the fake site's download be in this state; "none": there is no download."""
    await asyncio.to_thread(_set_download, address, state)


@contextlib.asynccontextmanager
async def writing_titles(address: str) -> AsyncIterator[None]:
    """Have the fake site's models write titles while the block runs."""
    await asyncio.to_thread(_set_titles, address, "on")
    try:
        yield
    finally:
        await asyncio.to_thread(_set_titles, address, "off")


def _set_titles(address: str, state: str) -> None:
    with urlopen(f"{address}of-the-tests/titles/{state}", timeout=30):
        pass


def _set_download(address: str, state: str) -> None:
    with urlopen(f"{address}of-the-tests/download/{state}", timeout=30):
        pass


def _keep_words(address: str, seconds: int) -> None:
    with urlopen(f"{address}of-the-tests/capture/{seconds}", timeout=30):
        pass


@contextlib.asynccontextmanager
async def visiting(address: str, **options: object) -> AsyncIterator[Visit]:
    """Open the page in a browser with nothing remembered; only for tests that are marked `browser`."""
    async with BROWSER.blank_page(address, **options) as page:
        visit = Visit(page, address)
        await visit.open()
        yield visit

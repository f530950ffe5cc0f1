"""Reloads, a killed site and a full disk at each moment of asking: no acknowledged question is lost."""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import pytest
import pytest_asyncio
from django.db import OperationalError
from django.test import AsyncClient

from inference.storage.database_threads import in_database
from playground import api, running_answers
from playground.models import Conversation, Message
from tests.cursor_class import cursor_class
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle
from tests.playground.site import START_S, free_port

FULL = "database or disk is full"
WRITES = ("INSERT", "UPDATE", "DELETE")


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


def stored() -> list[tuple[str, str, str]]:
    return [(one.role, one.content, one.status) for one in Message.objects.order_by("pk")]


ANSWERED = [("user", "Hi", "done"), ("assistant", "Hello", "done")]


class Disk:
    """A disk that is full for some of the database's writes: from `start` on, for `length` of them."""

    def __init__(self) -> None:
        self.writes = 0
        self.start, self.length = 0, 0

    def fill(self, start: int, length: int) -> None:
        self.writes, self.start, self.length = 0, start, length

    def write(self) -> None:
        self.writes += 1
        if self.start < self.writes <= self.start + self.length:
            raise OperationalError(FULL)


@pytest.fixture
def disk(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Disk:
    kind = cursor_class()
    disk, execute = Disk(), kind.execute

    def counted(cursor: Any, query: str, params: Any = None) -> Any:
        if query.lstrip().startswith(WRITES):
            disk.write()
        return execute(cursor, query, params)

    monkeypatch.setattr(kind, "execute", counted)
    monkeypatch.setattr(running_answers, "_LAST_TRIES_S", (0.01,))
    monkeypatch.setattr(running_answers, "_RETRY_S", 0.01)
    return disk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("length", [1, 6], ids=["for a moment", "for a while"])
async def test_a_disk_that_is_full_at_any_write_loses_no_acknowledged_question(
    page: Page, disk: Disk, length: int
) -> None:
    refused = 0
    for start in range(20):
        await in_database(lambda: Conversation.objects.all().delete())
        disk.fill(start, length)
        with serving(FakeRunner(["Hel", "lo"])):
            response = await page.send("POST", "/chat/ask/", {"content": "Hi", "question": {"model": "tiny"}})
            if response.status_code == 507:
                refused += 1
                assert json.loads(response.content)["error"]["code"] == "storage_full"
                assert await in_database(stored) == []
                disk.fill(0, 0)
                await page.ask()  # the text is on the page still
            else:
                assert response.status_code == 200, response.content
                answer = json.loads(response.content)["messages"][-1]["id"]
                events = [event async for event in page.events(answer)]
                assert events[-1]["answer"]["content"] == "Hello"
            await idle()
        assert await in_database(stored) == ANSWERED
        if disk.writes <= start:
            break
    assert refused > 2 and disk.writes <= start  # each write has failed once


@pytest.mark.django_db(transaction=True)
async def test_a_page_that_goes_at_any_moment_leaves_a_whole_turn_or_none(page: Page) -> None:
    seen = set()
    for steps in range(0, 200, 8):
        await in_database(lambda: Conversation.objects.all().delete())
        with serving(FakeRunner(["Hel", "lo"])):
            asking = asyncio.create_task(page.ask())
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            asking.cancel()
            await asyncio.wait([asking])
            while api.BEGINNINGS:
                await asyncio.sleep(0.01)
            await idle()
        found = await in_database(stored)
        assert found in ([], ANSWERED)
        seen.add(len(found))
    assert seen == {0, 2}


@contextlib.contextmanager
def fault_site(folder: Path, moment: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    command = [sys.executable, "-m", "tests.playground.fault_site", str(port), str(folder), moment]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            end = time.monotonic() + START_S
            while time.monotonic() < end:
                with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/", process
        finally:
            process.kill()


def ask(address: str, content: str) -> bool:
    """Whether the site has acknowledged the question before it ended."""
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))
    with opener.open(address, timeout=30):
        token = next(cookie.value or "" for cookie in jar if cookie.name == "mlxsite_csrf")
    body = json.dumps({"content": content, "question": {"model": "scripted-model"}}).encode()
    headers = {"Content-Type": "application/json", "X-CSRFToken": token}
    try:
        with opener.open(Request(f"{address}chat/ask/", body, headers), timeout=30) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def rows(folder: Path) -> list[tuple[str, str]]:
    (database,) = folder.glob("*.sqlite3")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return list(connection.execute("SELECT role, content FROM playground_message ORDER BY id"))


def test_a_site_that_is_killed_keeps_what_it_acknowledged_and_what_it_saved(tmp_path: Path) -> None:
    with fault_site(tmp_path, "stored") as (address, site):
        assert not ask(address, "stored echo")
        site.wait()
    assert rows(tmp_path) == [("user", "stored echo"), ("assistant", "")]
    with fault_site(tmp_path, "none") as (address, site):
        assert ask(address, "Talk forever")
        assert rows(tmp_path)[2] == ("user", "Talk forever")  # it is acknowledged
        while "calm way" not in rows(tmp_path)[3][1]:
            time.sleep(0.1)
        site.kill()
        site.wait()
    assert "calm way" in rows(tmp_path)[3][1]
    with fault_site(tmp_path, "end") as (address, site):
        assert ask(address, "How does one list primes?")
        site.wait()  # it ends itself before the last save
    last = rows(tmp_path)[5][1]
    assert "calm way" in last  # all but the text since the save before
    assert [role for role, _ in rows(tmp_path)] == ["user", "assistant"] * 3

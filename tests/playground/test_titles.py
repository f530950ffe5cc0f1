"""Titles are thought of behind the first answer, and give way."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest
import pytest_asyncio
from django.test import AsyncClient, override_settings

from inference.core.config import Config
from inference.core.events import Event
from inference.core.requests import ChatRequest, Request
from inference.serving import live_models, runtime
from inference.serving.recording.request_entry import RequestEntry
from playground.changes import CHANGES
from playground.titles import TITLES
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def on() -> Iterator[None]:
    with override_settings(CONFIG=Config(titles=True)):
        yield


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()
    await TITLES.join()


async def title(page: Page) -> str:
    listed = await page.json("GET", "/chat/conversations/")
    return str(listed["conversations"][0]["title"])


async def test_the_first_answer_brings_a_title(page: Page) -> None:
    runner = FakeRunner(['"A calm', ' sieve."'])
    with serving(runner):
        await page.answered("How does one list primes?")
        await idle()
        await TITLES.join()
        assert await title(page) == "A calm sieve"
    first, asked = runner.requests
    assert isinstance(asked, ChatRequest) and asked.max_tokens == 24 and asked.thinking is False
    assert asked.messages[0].content.endswith("How does one list primes?")


async def test_the_second_answer_brings_none(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with serving(runner):
        conversation, answer = await page.answered("Hi")
        await idle()
        await TITLES.join()
        await page.answered("More", conversation=conversation, parent=answer["id"])
        await idle()
        await TITLES.join()
    assert len(runner.requests) == 3


async def test_a_chosen_title_stays(page: Page) -> None:
    hold = asyncio.Event()
    runner = FakeRunner(["Model's", " own"], hold=hold)
    with serving(runner):
        asked = await page.ask("Hi")
        await page.json("PATCH", f"/chat/conversations/{asked['conversation']}/", {"title": "Mine"})
        hold.set()
        await idle()
        await TITLES.join()
        assert await title(page) == "Mine"


class HoldsTheTitle(FakeRunner):
    """Answers, but never comes to the end of the title."""

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        self.hold = asyncio.Event() if len(self.requests) == 1 else None
        async for event in super().submit(request, owner):
            yield event


async def test_a_chat_interrupts_a_title_which_is_written_later(page: Page) -> None:
    runner = HoldsTheTitle(["Hello"])
    with serving(runner):
        await page.answered("First question")
        await idle()
        async with asyncio.timeout(10):
            while len(runner.requests) < 2:
                await asyncio.sleep(0.01)
        await page.answered("Second question")
        assert runner.cancelled == 1
        await idle()
        await TITLES.join()
        listed = await page.json("GET", "/chat/conversations/")
        assert [one["title"] for one in listed["conversations"]] == ["Hello", "Hello"]


async def test_it_is_off_by_a_switch(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with override_settings(CONFIG=Config(titles=False)), serving(runner):
        await page.answered("Hi")
        await idle()
        await TITLES.join()
    assert len(runner.requests) == 1


async def test_a_model_that_says_nothing_changes_nothing(page: Page) -> None:
    with serving(FakeRunner([' "" '])):
        await page.answered("Hi there")
        await idle()
        await TITLES.join()
        assert await title(page) == "Hi there"


async def test_a_title_is_pushed_to_the_windows_of_its_owner_alone(page: Page) -> None:
    runner = FakeRunner(["**Calm** sieves.", "\nMore"])
    with (
        CHANGES.listening("local:") as events,
        CHANGES.listening("user:ann") as others,
        serving(runner),
    ):
        conversation, _ = await page.answered("How does one list primes?")
        await idle()
        await TITLES.join()
    pushed = [events.get_nowait() for _ in range(events.qsize())]
    assert {"type": "title", "conversation": conversation, "title": "Calm sieves"} in pushed
    assert others.empty()


async def test_a_title_is_recorded_as_one_and_its_model_counts_as_ready(page: Page) -> None:
    runner = HoldsTheTitle(["Hello"])
    kept: list[RequestEntry] = []
    with serving(runner, keep=kept.append):
        await page.answered("First question")
        async with asyncio.timeout(10):
            while len(runner.requests) < 2:
                await asyncio.sleep(0.01)
        ((model,), pool) = live_models.models(), runtime.pool().snapshot()
        assert (pool.of("tiny").state, model.state, model.streams) == ("busy", "ready", 0)
        TITLES.interrupt()
        await TITLES.join()
    assert [entry.kind for entry in kept] == ["chat", "title", "title"]


async def test_an_interrupted_title_does_not_load_its_model_again(page: Page) -> None:
    runner = HoldsTheTitle(["Hello"])
    with serving(runner) as pool:
        await page.answered("First question")
        async with asyncio.timeout(10):
            while len(runner.requests) < 2:
                await asyncio.sleep(0.01)
        TITLES.interrupt()
        await pool.unload("tiny")
        await TITLES.join()
        assert (runner.loads, await title(page)) == (["tiny"], "First question")

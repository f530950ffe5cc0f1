"""Following and stopping answers over HTTP: they continue without their page."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from inference.core.errors import ContextLengthExceeded
from playground import running_answers
from playground.models import Message
from tests.fakes import FakeRunner, serving
from tests.playground.asking import Page, idle
from tests.thinking_runner import ThinkingRunner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


async def test_an_answer_is_followed_from_its_beginning_to_its_end(page: Page) -> None:
    with serving(FakeRunner(["Hel", "lo"], delay_s=0.01)):
        asked = await page.ask("Hi")
        events = [event async for event in page.events(asked["messages"][-1]["id"])]
    assert events[0]["type"] == events[-1]["type"] == "answer"
    assert "".join(event["text"] for event in events if event["type"] == "text") in ("Hello", "lo", "")
    assert events[-1]["answer"]["content"] == "Hello"
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant"]


async def test_an_answer_is_saved_with_how_it_was_made(page: Page) -> None:
    with serving(FakeRunner(["Hello"])):
        conversation, answer = await page.answered("Hi", question={"model": "tiny", "temperature": 0.5})
        await idle()
        whole = await page.open(conversation)
    assert whole["messages"][1].items() <= answer.items()
    assert answer["made"]["temperature"] == 0.5 and isinstance(answer["made"]["seed"], int)
    assert (answer["model"], answer["status"]) == ("tiny", "done")


async def test_leaving_the_page_does_not_end_the_answer(page: Page) -> None:
    hold = asyncio.Event()
    runner = FakeRunner(["Hel", "lo"], hold=hold)
    with serving(runner):
        asked = await page.ask()
        await page.heard(asked["messages"][-1]["id"], "Hel")
        assert runner.running == 1
        again = await page.open(asked["conversation"])
        hold.set()
        await idle()
        whole = await page.open(asked["conversation"])
    assert (again["messages"][1]["status"], again["messages"][1]["content"]) == ("answering", "Hel")
    assert (whole["messages"][1]["status"], whole["messages"][1]["content"]) == ("done", "Hello")


async def test_two_pages_follow_one_answer(page: Page) -> None:
    hold = asyncio.Event()
    with serving(FakeRunner(["Hel", "lo"], hold=hold)):
        asked = await page.ask()

        async def last() -> str:
            events = [event async for event in page.events(asked["messages"][-1]["id"])]
            return str(events[-1]["answer"]["content"])

        following = [asyncio.ensure_future(last()) for _ in range(2)]
        await asyncio.sleep(0.05)
        hold.set()
        assert await asyncio.gather(*following) == ["Hello", "Hello"]


async def test_an_answer_is_stopped_from_anywhere_and_keeps_its_text(page: Page) -> None:
    runner = FakeRunner(["Hel", "lo"], hold=asyncio.Event())
    with serving(runner):
        asked = await page.ask()
        answer = asked["messages"][-1]["id"]
        await page.heard(answer, "Hel")
        await page.json("POST", f"/chat/messages/{answer}/stop/")
        whole = await page.open(asked["conversation"])
    assert (whole["messages"][1]["status"], whole["messages"][1]["content"]) == ("stopped", "Hel")
    assert runner.cancelled == 1


async def test_the_reasoning_of_an_answer_is_ended_from_anywhere(page: Page) -> None:
    with serving(ThinkingRunner()):
        asked = await page.ask()
        answer = asked["messages"][-1]["id"]
        whole = asked
        while not whole["messages"][1]["reasoning"]:
            whole = await page.open(asked["conversation"])
        assert whole["messages"][1]["thinking"] is True
        exported = await page.send("GET", f"/chat/conversations/{asked['conversation']}.json")
        assert b'"thinking"' not in exported.content and b'"reasoning"' in exported.content
        assert await page.json("POST", f"/chat/messages/{answer}/answer-now/") == {"success": True}
        events = [event async for event in page.events(answer)]
        assert (events[-1]["answer"]["content"], events[-1]["answer"]["status"]) == ("42", "done")
        await idle()
        assert await page.json("POST", f"/chat/messages/{answer}/answer-now/") == {"success": False}


async def test_stopping_what_has_ended_is_no_error(page: Page) -> None:
    with serving(FakeRunner()):
        _, answer = await page.answered()
        await idle()
        await page.json("POST", f"/chat/messages/{answer['id']}/stop/")


async def test_an_answer_whose_server_ended_was_stopped(page: Page) -> None:
    with serving(FakeRunner()):
        conversation, answer = await page.answered()
        await idle()
        await sync_to_async(Message.objects.filter(pk=answer["id"]).update)(status="answering")
        whole = await page.open(conversation)
        (ending,) = [event async for event in page.events(answer["id"])]
    assert whole["messages"][1]["status"] == ending["answer"]["status"] == "stopped"


async def test_a_refusal_by_the_model_is_the_answers(page: Page) -> None:
    with serving(FakeRunner(refuse_with=ContextLengthExceeded("Too long."))):
        _, answer = await page.answered()
    assert answer["status"] == "failed" and answer["error"].startswith(
        "Too long. The context of this model is"
    )


async def test_a_defect_is_reported_without_its_details(page: Page) -> None:
    class Broken(FakeRunner):
        def submit(self, request: Any, owner: str = "") -> Any:
            raise RuntimeError("/secret/path")

    with serving(Broken()):
        _, answer = await page.answered()
    assert answer["status"] == "failed" and "secret" not in json.dumps(answer)


async def test_an_answer_that_ends_while_the_database_is_busy_is_saved_all_the_same(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running_answers.in_database
    failures: list[str] = []

    async def busy_once(work: Any) -> Any:
        if not failures:
            failures.append("locked")
            raise OperationalError("database table is locked")
        return await real(work)

    monkeypatch.setattr(running_answers, "in_database", busy_once)
    with serving(FakeRunner(["Hello"])):
        conversation, _ = await page.answered("What?")
        await idle()
        whole = await page.open(conversation)
    assert failures and (whole["messages"][-1]["content"], whole["messages"][-1]["status"]) == (
        "Hello",
        "done",
    )

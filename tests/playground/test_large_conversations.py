"""Conversations of megabytes: what takes long with them is done off the event loop, and once."""

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from django.test import AsyncClient

from inference.core.requests import ChatRequest
from playground import chat_request, export
from tests.fakes import FakeRunner, card, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


def recorded(work: Callable[..., Any], threads: list[str]) -> Callable[..., Any]:
    """The same work, which also notes the thread it is done on."""

    def note(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return work(*given)

    return note


async def test_a_question_is_checked_off_the_event_loop(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    monkeypatch.setattr(chat_request, "validated", recorded(chat_request.validated, threads))
    with serving(FakeRunner()):
        await page.answered("Hi")
    assert threads and threading.current_thread().name not in threads


async def test_compared_models_are_sent_one_conversation_which_is_not_checked_again(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[int] = []
    real = chat_request.validated

    def count(question: dict[str, Any]) -> ChatRequest:
        checked.append(len(str(question)))
        return real(question)

    monkeypatch.setattr(chat_request, "validated", count)
    runners = [FakeRunner(["one"]), FakeRunner(["two"]), FakeRunner(["three"])]
    names = ["tiny", "other", "third"]
    with serving(*runners, cards=[card(name) for name in names]):
        await page.ask("x" * 100_000, models=names)
        await idle()
    assert len(checked) == 3 and max(checked) < 1000
    asked = [request for runner in runners for request in runner.requests]
    assert sorted(request.model for request in asked) == sorted(names)
    assert {request.messages[-1].content for request in asked if isinstance(request, ChatRequest)} == {
        "x" * 100_000
    }


@pytest.mark.parametrize("form", ["json", "md"])
async def test_a_file_of_it_is_written_off_the_event_loop(
    page: Page, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    write, kind = export.FORMATS[form]
    monkeypatch.setattr(export, "FORMATS", {form: (recorded(write, threads), kind)})
    with serving(FakeRunner()):
        conversation, _ = await page.answered("Hi")
        await idle()
        exported = await page.send("GET", f"/chat/conversations/{conversation}.{form}")
    assert exported.status_code == 200 and exported["Content-Type"] == f"{kind}; charset=utf-8"
    assert threads and threading.current_thread().name not in threads


@pytest.mark.parametrize("content", ["héllo " * 100_000, "\N{GRINNING FACE}" * 1000, '"quoted\\"'])
async def test_its_text_reaches_the_model_as_it_was_written(page: Page, content: str) -> None:
    runner = FakeRunner()
    with serving(runner):
        conversation, answer = await page.answered(content)
        await page.answered("And?", conversation=conversation, parent=answer["id"])
    (_, request) = runner.requests
    assert isinstance(request, ChatRequest)
    assert [message.content for message in request.messages] == [content, "Hello there", "And?"]

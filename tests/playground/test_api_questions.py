"""Asking over HTTP: what the model is sent, which questions are refused, and comparisons of models."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.test import AsyncClient

from inference.core.requests import ChatRequest
from tests.api.openai.asking import error_of
from tests.fakes import GB, FakeRunner, card, serving
from tests.playground.asking import Page, idle

ASKED: dict[str, Any] = {"content": "Hi", "question": {"model": "tiny"}}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


async def test_the_model_reads_the_system_prompt_and_the_branch(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with serving(runner):
        conversation, answer = await page.answered("one", settings={"system": " Be brief. "})
        await page.answered("two", conversation=conversation, parent=answer["id"])
    first, request = runner.requests
    assert isinstance(first, ChatRequest) and isinstance(request, ChatRequest)
    assert [(m.role, m.content) for m in first.messages] == [("system", "Be brief."), ("user", "one")]
    assert [(m.role, m.content) for m in request.messages] == [
        ("user", "one"),
        ("assistant", "Hello"),
        ("user", "two"),
    ]


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"question": {"model": "tiny", "temperature": 9}}, "temperature"),
        ({"question": {"model": "tiny", "n": 2}}, "n"),
        ({"question": {"model": "tiny", "seeds": 5}}, "seeds"),
        ({"question": {}}, "model"),
        ({"content": ""}, "content"),
        ({"content": None}, "content"),
        ({"conversation": "x"}, "conversation"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_question_is_refused_and_nothing_is_kept(
    page: Page, changes: dict[str, Any], param: str
) -> None:
    body = ASKED | changes
    with serving():
        response = await page.send("POST", "/chat/ask/", body)
        listed = await page.json("GET", "/chat/conversations/")
    assert (response.status_code, error_of(response)["param"]) == (400, param)
    assert listed["conversations"] == []


async def test_every_setting_reaches_the_model(page: Page) -> None:
    runner = FakeRunner()
    with serving(runner):
        await page.answered(question={"model": "tiny", "top_k": 5, "min_p": 0.1, "stop": ["END"]})
    (request,) = runner.requests
    assert isinstance(request, ChatRequest)
    assert (request.sampling.top_k, request.sampling.min_p, request.stop) == (5, 0.1, ("END",))


async def test_compared_models_answer_the_same_question_with_the_same_seed(page: Page) -> None:
    cards, runners = [card("tiny"), card("other")], [FakeRunner(["one"]), FakeRunner(["two"])]
    with serving(*runners, cards=cards):
        asked = await page.ask("Hi", models=["tiny", "other", "tiny"])
        await idle()
        whole = await page.open(asked["conversation"])
    _, *answers = whole["messages"]
    assert [(one["model"], one["status"]) for one in answers] == [("tiny", "done"), ("other", "done")]
    assert answers[0]["parent"] == answers[1]["parent"] == asked["messages"][0]["id"]
    assert answers[0]["made"]["seed"] == answers[1]["made"]["seed"]
    assert "They answer at the same time" in asked["plan"]


async def test_models_that_do_not_fit_together_answer_in_turn(page: Page) -> None:
    cards = [card("tiny", resident_bytes=6 * GB), card("other", resident_bytes=6 * GB)]
    with serving(FakeRunner(["one"]), FakeRunner(["two"]), cards=cards):
        asked = await page.ask("Hi", models=["tiny", "other"])
        await idle()
        whole = await page.open(asked["conversation"])
    assert "They answer in turn" in asked["plan"]
    assert [one["content"] for one in whole["messages"][1:]] == ["one", "two"]


async def test_what_made_an_answer_makes_it_again(page: Page) -> None:
    runner = FakeRunner(["Hello"])
    with serving(runner):
        conversation, answer = await page.answered()
        again = {"conversation": conversation, "parent": answer["parent"], "question": answer["made"]}
        _, second = await page.answered(None, **again)
    assert second["made"] == answer["made"] and second["parent"] == answer["parent"]
    first, last = runner.requests
    assert isinstance(first, ChatRequest) and isinstance(last, ChatRequest)
    assert first.sampling == last.sampling

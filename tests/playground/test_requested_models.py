"""A question to a model that is gone is refused in the page's words, and nothing of it is kept."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.test import AsyncClient

from inference.core.errors import ModelNotFound
from inference.core.model_card import LoraCard
from tests.api.openai.asking import error_of
from tests.fakes import FakeRunner, card, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)
CARDS = [
    card("tiny", loras=(LoraCard(name="pirate", path="/x"),)),
    card("off", is_enabled=False, problem="it is switched off"),
]


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": {"model": "gone"}}, "gone is not on this server."),
        ({"question": {"model": "gone:pirate"}}, "gone:pirate is not on this server."),
        ({"question": {"model": "tiny:ninja"}}, "tiny:ninja is not on this server."),
        ({"question": {"model": "off"}}, "off is switched off on this server."),
        ({"models": ["tiny", "gone"]}, "gone is not on this server."),
    ],
)
async def test_it_is_refused_and_nothing_is_kept(page: Page, changes: dict[str, Any], words: str) -> None:
    with serving(FakeRunner(), cards=CARDS):
        response = await page.send(
            "POST", "/chat/ask/", {"content": "Hi", "question": {"model": "tiny"}} | changes
        )
        listed = await page.json("GET", "/chat/conversations/")
    error = error_of(response)
    assert (response.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    assert error["message"] == f"{words} Choose another model above."
    assert listed["conversations"] == []


async def test_a_model_and_its_adapter_are_there(page: Page) -> None:
    with serving(FakeRunner(), FakeRunner(), cards=CARDS):
        for model in ("tiny", "tiny:pirate"):
            _, answer = await page.answered(question={"model": model})
            assert answer["model"] == model


async def test_a_model_that_goes_while_a_question_waits_is_told_of_in_the_same_words(page: Page) -> None:
    gone = ModelNotFound("There is no model 'tiny' here; GET /v1/models lists them.", param="model")
    with serving(FakeRunner(refuse_with=gone), cards=CARDS):
        _, answer = await page.answered()
    assert answer["status"] == "failed"
    assert answer["error"] == "tiny is no longer available on this server. Choose another model above."

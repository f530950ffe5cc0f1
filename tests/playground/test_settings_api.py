"""The addresses of the settings panel, and what a question does with settings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from django.contrib.auth.models import User
from django.test import AsyncClient

from inference.core.requests import ChatRequest, Sampling
from tests.fakes import FakeRunner, card, serving
from tests.playground.asking import Page, idle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def page(async_client: AsyncClient) -> AsyncIterator[Page]:
    yield Page(async_client)
    await idle()


@pytest_asyncio.fixture
async def signed_in(async_client: AsyncClient) -> AsyncIterator[Page]:
    await async_client.aforce_login(await User.objects.acreate_superuser("ann", first_name="Ann"))
    yield Page(async_client)
    await idle()


async def test_a_models_defaults_are_read(page: Page) -> None:
    with serving(cards=[card("a/b", own_sampling=Sampling(temperature=0.2))]):
        found = await page.json("GET", "/chat/models/settings/?model=a%2Fb")
        missing = await page.send("GET", "/chat/models/settings/?model=gone")
    assert found["defaults"]["temperature"] == {"value": 0.2, "source": "model"}
    assert missing.status_code == 404


async def test_an_accounts_defaults_are_kept_for_every_browser(signed_in: Page) -> None:
    await signed_in.json("PUT", "/chat/settings/", {"settings": {"temperature": "0.2"}})
    assert await signed_in.json("GET", "/chat/settings/") == {"settings": {"temperature": "0.2"}}
    for body in ({"settings": {"system": "x" * 200_001}}, {"settings": {"seed": 5}}, {}):
        assert (await signed_in.send("PUT", "/chat/settings/", body)).status_code == 400


async def test_an_accounts_favourites_are_kept_for_every_browser(signed_in: Page) -> None:
    await signed_in.json("PATCH", "/chat/favourites/", {"add": ["a/b", "c"]})
    await signed_in.json("PATCH", "/chat/favourites/", {"remove": ["c"]})
    assert await signed_in.json("GET", "/chat/favourites/") == {"favourites": ["a/b"]}
    wrong: list[dict[str, Any]] = [{"add": [""]}, {"add": ["x" * 501]}, {"add": "a"}, {"more": []}]
    for body in wrong:
        assert (await signed_in.send("PATCH", "/chat/favourites/", body)).status_code == 400


async def test_prompts_are_saved_renamed_and_deleted(signed_in: Page) -> None:
    made = await signed_in.json("POST", "/chat/prompts/", {"name": " Pirate ", "text": "Arr"})
    address = f"/chat/prompts/{made['id']}/"
    assert (await signed_in.json("PATCH", address, {"name": "Sailor"}))["name"] == "Sailor"
    assert [one["name"] for one in (await signed_in.json("GET", "/chat/prompts/"))["prompts"]] == ["Sailor"]
    await signed_in.json("DELETE", address)
    assert (await signed_in.send("DELETE", address)).status_code == 404
    for body in ({"name": " ", "text": "x"}, {"name": "x" * 101, "text": "x"}, {"name": "x"}):
        assert (await signed_in.send("POST", "/chat/prompts/", body)).status_code == 400


@pytest.mark.parametrize(
    "address", ["/chat/settings/", "/chat/prompts/", "/chat/prompts/1/", "/chat/favourites/"]
)
async def test_without_an_account_nothing_is_kept_here(page: Page, address: str) -> None:
    method = "DELETE" if address.endswith("1/") else "GET"
    assert (await page.send(method, address)).status_code == 404


async def test_variables_are_filled_when_asked_and_kept_with_the_chat(signed_in: Page) -> None:
    runner, prompt = FakeRunner(["Hello"]), "You are {{model}}; I am {{name}}. {{secret}}"
    with serving(runner):
        conversation, _ = await signed_in.answered(settings={"system": prompt}, timezone="Europe/Rome")
        opened = await signed_in.open(conversation)
    request = runner.requests[0]
    assert isinstance(request, ChatRequest)
    assert request.messages[0].content == "You are tiny; I am Ann. {{secret}}"
    assert opened["settings"] == {"system": prompt}

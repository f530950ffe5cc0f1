"""A chat whose model is gone says so, and asks which to use; nothing is asked until that is chosen."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.model_news import ModelNews
from tests.playground.site import Visit, visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
QWEN = "mlx-community/Qwen3-8B-4bit"
OTHERS = (QWEN, "slow-loader")
REASONS: dict[str, tuple[dict[str, str], str]] = {
    "scripted-model": ({}, "scripted-model is not on this server. Which"),
    "gpt-4o": ({"gpt-4o": "It is switched off on this server."}, "gpt-4o cannot be used now. It is switched"),
    "lost:pirate": ({}, "lost:pirate is not on this server, and no model here is named lost."),
    "slow-loader:old": ({}, "slow-loader:old is not on this server. Which"),
}


async def answered(visit: Visit, question: str = "Please echo") -> None:
    await visit.ask(question)
    await expect(visit.page.locator(".figures").last).to_contain_text("tokens/s", timeout=20_000)


async def imported(page: Page, model: str) -> str:
    """The id of a chat that this model answered elsewhere."""
    body: dict[str, Any] = {"format": "mlxsite-conversation-1", "title": model, "tip": 2}
    body["messages"] = [
        {"id": 1, "parent": None, "role": "user", "content": "Hi"},
        {"id": 2, "parent": 1, "role": "assistant", "content": "Hello", "model": model},
    ]
    script = (
        'body => import("/static/playground/api.js").then(({call}) => call("POST", "/chat/import/", body))'
    )
    return str((await page.evaluate(script, body))["id"])


@nightly
async def test_a_chat_whose_model_is_gone_asks_which_to_use(address: str) -> None:
    async with visiting(address, reduced_motion="reduce") as visit:
        page, news = visit.page, ModelNews(visit.page)
        await answered(visit)
        await news.take_over()
        news.serve(*OTHERS)
        await page.reload()
        notice = page.get_by_role("region", name="The model of this chat")
        await expect(notice).to_contain_text(REASONS["scripted-model"][1])
        await expect(page.locator(".picker-name")).to_have_text("scripted-model")
        await expect(page.locator(".picker-state")).to_have_text("not available")
        assert await complaints(page) == []
        await visit.ask("Kept until then, please echo")
        await expect(page.locator("#toast")).to_contain_text("Choose a model first")
        await expect(page.locator("#prompt")).to_have_value("Kept until then, please echo")
        await page.get_by_role("button", name="More", exact=True).last.click()
        replay = page.get_by_role("menuitem", name="Replay with the same seed")
        await expect(replay).to_be_disabled()
        await expect(replay).to_contain_text("scripted-model is not on this server any more.")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Regenerate", exact=True).click()
        await expect(page.locator("#toast")).to_contain_text("Choose a model first")
        await expect(page.locator(".message")).to_have_count(2)
        await notice.get_by_role("button", name=f"Use {QWEN} instead").click()
        await expect(notice).to_be_hidden()
        await expect(page.locator("#prompt")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.is-assistant .by").last).to_have_text(QWEN)


@nightly
async def test_the_reason_is_told_for_each_kind(address: str) -> None:
    async with visiting(address) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        notice = page.get_by_role("region", name="The model of this chat")
        for model, (unavailable, words) in REASONS.items():
            news.tell([one for one in news.models if one["id"] in OTHERS], unavailable)
            await page.goto(f"{address}c/{await imported(page, model)}")
            await expect(notice).to_contain_text(words)
        await page.click("#new-chat")  # nothing is missing there
        await expect(notice).to_be_hidden()
        await expect(page.locator(".picker-name")).to_have_text(QWEN)


@nightly
async def test_of_models_that_nobody_picked_the_one_asked_last_is_used(address: str) -> None:
    async with visiting(address) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await answered(visit)
        await page.click("#new-chat")
        await news.take_over()
        asked = {"id": "scripted-model", "state": "unloaded"}
        first = [one | {"state": "unloaded"} for one in news.models if one["id"] in OTHERS]
        news.tell([*first, next(one for one in news.models if one["id"] == asked["id"]) | asked])
        await page.goto(address)
        await expect(page.locator(".picker-name")).to_have_text("scripted-model")
        news.tell([first[0], first[1] | {"state": "ready"}, *news.models[2:]])
        await page.goto(address)  # one in memory answers sooner
        await expect(page.locator(".picker-name")).to_have_text("slow-loader")


@nightly
async def test_a_choice_for_new_chats_that_is_gone_is_told_and_holds_nothing(address: str) -> None:
    async with visiting(address) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await page.click("#picker-button")
        await page.locator(".option", has_text="slow-loader").click()
        await news.take_over()
        news.serve("scripted-model", QWEN)
        await page.evaluate("localStorage['mlxsite.model'] = '\"removed-model\"'")
        await page.reload()
        notice = page.get_by_role("region", name="The model of this chat")
        await expect(notice).to_contain_text("removed-model is not on this server. New chats use ")
        await answered(visit)
        await expect(notice).to_be_hidden()


@nightly
async def test_of_compared_models_the_others_go_on_when_that_is_chosen(address: str) -> None:
    async with visiting(address, reduced_motion="reduce") as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        await page.get_by_role("button", name="Compare models…").click()
        for name in ("scripted-model", *OTHERS):
            await page.get_by_role("checkbox", name=name, exact=True).check()
        await page.get_by_role("button", name="Compare", exact=True).click()
        await expect(page.locator(".picker-name")).to_have_text("3 models side by side")
        news.serve("slow-loader", QWEN)
        notice = page.get_by_role("region", name="The model of this chat")
        await expect(notice).to_contain_text("scripted-model is not on this server.")
        await visit.ask("Please echo")
        await expect(page.locator("#toast")).to_contain_text("Choose a model first")
        await notice.get_by_role("button", name="Compare the other 2").click()
        text = "to 2 models: Qwen3-8B-4bit, slow-loader."
        await expect(page.locator("#comparing")).to_contain_text(text)
        await page.press("#prompt", "Enter")
        for column in await page.locator(".columns > .message").all():
            await expect(column).to_have_attribute("data-status", "done", timeout=20_000)
        assert await complaints(page) == []

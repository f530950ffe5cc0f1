"""The list of models in Chromium: the filter, the keyboard, favourites, self-tests, loading and unloading."""

import re
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from inference.core.model_card import Finding
from inference.core.self_test_summary import summary
from tests.nightly import nightly
from tests.playground.model_news import ModelNews
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
QWEN = "mlx-community/Qwen3-8B-4bit"
TOOLS = Finding(light="amber", about="tools", text="Its template renders no tools.")
STOPS = Finding(light="amber", about="stops", text="No stop token is known.")


def many(news: ModelNews) -> list[dict[str, Any]]:
    """128 models: those of the site, one of them an adapter with an alias, and more of the same kind."""
    states = {"scripted-model": "ready", "endless-loader": "loading", "broken-model": "failed"}
    site = [model | {"state": states.get(model["id"], "unloaded")} for model in news.models]
    more = [site[1] | {"id": f"org/model-{place}", "family": "gemma3"} for place in range(122)]
    adapter = site[0] | {"id": "scripted-model:pirate", "base": "scripted-model", "aliases": ["Blackbeard"]}
    return [*more, *site, adapter]


async def options(page: Page) -> list[str]:
    return await page.locator(".option-name").all_inner_texts()


@nightly
async def test_one_of_128_models_is_found_with_the_keyboard(address: str) -> None:
    async with visiting(address, reduced_motion="reduce") as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        news.tell(many(news))
        await page.locator("#picker-button").press("Enter")
        field = page.get_by_role("combobox", name="Filter models")
        await expect(field).to_be_focused()
        shown = await options(page)
        assert len(shown) == 128
        assert shown[:3] == ["scripted-model", "endless-loader", "scripted-model:pirate"]  # in memory
        for words, found in {
            "8b QWEN": [QWEN],
            "PIRATE": ["scripted-model:pirate"],
            "adapter": ["scripted-model:pirate"],
            "blackb": ["scripted-model:pirate"],
            "mistral": ["slow-loader"],
            "gemma3 -121": ["org/model-121"],
            "no such model": [],
        }.items():
            await field.fill(words)
            assert await options(page) == found
        await expect(page.get_by_role("status").filter(has_text="No model matches")).to_be_visible()
        await field.fill("org model-1")
        await field.press("ArrowDown")
        active = page.get_by_role("listbox", name="Models").locator("[aria-selected=true]")
        await expect(active).to_contain_text("org/model-10")
        assert await active.get_attribute("id") == await field.get_attribute("aria-activedescendant")
        stops = page.locator("#picker-panel").locator(":is(a, button, input):visible:not([tabindex='-1'])")
        assert await stops.count() <= 6
        await field.press("Escape")
        await expect(page.locator("#picker-button")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(field).to_have_value("")
        await field.fill("Model-77")
        await field.press("Enter")
        await expect(page.locator(".picker-name")).to_have_text("org/model-77")
        await expect(page.locator("#prompt")).to_be_focused()


@nightly
async def test_favourites_come_after_what_is_in_memory_and_stay(address: str) -> None:
    async with visiting(address, viewport={"width": 390, "height": 800}) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        news.tell(many(news))
        await page.click("#picker-button")
        star = page.get_by_role("button", name="Favourite slow-loader")
        await star.click()
        await expect(star).to_have_attribute("aria-pressed", "true")
        await page.reload()
        await page.click("#picker-button")
        groups = page.get_by_role("listbox").get_by_role("group")
        await expect(groups).to_have_count(3)
        await expect(groups.nth(1)).to_contain_text("slow-loader")
        await page.locator("#picker-filter").press("Tab")
        await expect(page.get_by_role("button", name="Unload scripted-model", exact=True)).to_be_focused()
        box = await star.bounding_box()
        assert box and box["width"] >= 40 and box["height"] >= 40


@nightly
async def test_a_self_test_is_told_in_words_that_lead_to_an_explanation(address: str) -> None:
    async with visiting(address) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        models = news.models
        models[0] |= {"self_test": msgspec.to_builtins(summary([TOOLS]))}
        models[1] |= {"self_test": msgspec.to_builtins(summary([TOOLS, STOPS])), "state": "ready"}
        news.tell(models)
        await page.click("#picker-button")
        assert await complaints(page) == []
        await expect(page.locator("#picker-panel")).not_to_contain_text("amber")
        await expect(
            page.get_by_role("link", name="Works, without tools, answers may not end")
        ).to_have_class("option-light is-amber")
        link = page.get_by_role("link", name="Works, without tools", exact=True)
        await expect(link).to_have_class("option-light is-grey")
        await link.click()
        dialog = page.get_by_role("dialog", name="Works, without tools")
        await expect(dialog).to_contain_text("Its template renders no tools.")
        await expect(dialog).to_contain_text("It answers questions as usual.")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await expect(page.locator("#picker-panel")).to_be_visible()


@nightly
async def test_models_are_loaded_and_unloaded_in_place(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        previews: list[dict[str, Any]] = []

        async def preview(route: Route) -> None:
            await route.fulfill(json=previews.pop(0)) if previews else await route.continue_()

        await page.route("**/api/models/preview", preview)
        await page.click("#picker-button")
        row = page.get_by_role("option", name="slow-loader")
        unload = page.get_by_role("button", name="Unload slow-loader")
        if await unload.count():  # another test has asked it
            await unload.click()
        load = page.get_by_role("button", name="Load slow-loader", exact=True)
        text = "It takes 8.0 GB, so other is unloaded (4.0 GB, idle for 5 s)."
        previews.append({"text": text, "is_possible": True, "displaces_models": True})
        await load.click()
        question = page.get_by_role("dialog", name="Load slow-loader?")
        await expect(question).to_contain_text(text)
        await question.get_by_role("button", name="Cancel").click()
        await expect(load).to_be_focused()
        await load.click()  # the site itself has the memory, so it asks nothing
        await expect(row).to_contain_text("%, reading weights")
        await expect(row).to_contain_text("ready", timeout=20_000)
        await unload.click()
        await expect(load).to_be_visible()
        await page.get_by_role("button", name="Load broken-model").click()
        toast = page.locator("#toast")
        await expect(toast).to_contain_text("broken-model could not be loaded: its weights are incomplete")
        await expect(page.locator("#picker-panel")).to_be_visible()
        assert visit.complaints == []


@nightly
async def test_who_may_not_load_models_is_offered_none_of_it(address: str) -> None:
    async def forbid(route: Route) -> None:
        page = await (await route.fetch()).text()
        await route.fulfill(body=page.replace('"may_manage": true', '"may_manage": false'))

    async with visiting(address) as visit:
        await visit.page.route(address, forbid)
        await visit.page.reload()
        await visit.page.click("#picker-button")
        await expect(visit.page.get_by_role("option", name="scripted-model")).to_be_visible()
        await expect(visit.page.get_by_role("button", name=re.compile("^(Unl|L)oad "))).to_have_count(0)


TABLE = """async () => {
    const { matches, grouped } = await import("/static/playground/model-groups.js");
    const model = (id, more) => ({ id, family: "llama", base: "", state: "unloaded", ...more });
    const ids = ({ name, models }) => [name, models.map(({ id }) => id)];
    const groups = (favourites, ...models) => grouped(models, new Set(favourites)).map(ids);
    const [loading, failed] = [model("c", { state: "loading" }), model("d", { state: "failed" })];
    return {
        blank: matches(model("a"), "  "),
        order: matches(model("Qwen3-8B"), "8b qwen"),
        missing: matches(model("Qwen3-8B"), "8b llama3"),
        base: matches(model("a:b", { base: "a" }), "adapter a"),
        empty: groups([]),
        every: groups(["c", "b"], model("a"), model("b"), loading, failed),
    };
}"""


async def test_a_table_of_filters_and_groups(address: str) -> None:
    async with visiting(address) as visit:
        seen = await visit.page.evaluate(TABLE)
    assert (seen["blank"], seen["order"], seen["missing"], seen["base"]) == (True, True, False, True)
    assert seen["empty"] == []
    assert seen["every"] == [["In memory", ["c"]], ["Favourites", ["b"]], ["Other models", ["a", "d"]]]

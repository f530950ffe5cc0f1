"""The empty page in Chromium: examples, what a first question waits for, and what to do without a model."""

import pytest
from playwright.async_api import expect

from tests.nightly import of_each_kind
from tests.playground.model_news import ModelNews
from tests.playground.site import visiting
from tests.playground.test_accessible import DARK, VIEWS, complaints

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("view", of_each_kind(VIEWS, [DARK]))
async def test_it_says_what_to_do_and_what_is_waited_for(address: str, view: dict[str, object]) -> None:
    async with visiting(address, reduced_motion="reduce", **view) as visit:
        page, news = visit.page, ModelNews(visit.page)
        await news.take_over()
        models = news.models
        await expect(page.get_by_role("list", name="Example questions").get_by_role("button")).to_have_count(
            3
        )
        load = page.locator("#welcome-load")
        await expect(load).to_be_hidden()
        states = {
            "unloaded": "scripted-model is not in memory. Your first question loads it (538 MB)",
            "loading": "scripted-model is being loaded, 40 %, verifying batch support.",
            "failed": "scripted-model could not be loaded: no luck",
        }
        for state, text in states.items():
            news.tell(
                [
                    models[0]
                    | {"state": state, "loaded_percent": 40, "load_phase": "verifying", "reason": "no luck"}
                ]
            )
            await expect(load).to_contain_text(text)
        assert await complaints(page) == []
        news.tell([])
        download = page.get_by_role("link", name="Download a model")
        await expect(download).to_be_visible()
        await expect(page.get_by_role("list", name="These fit the memory")).to_contain_text("about 0.3 GB")
        await expect(page.locator("#gone-model")).to_be_hidden()
        assert await complaints(page) == []
        if "viewport" in view:
            await page.set_viewport_size({"width": 320, "height": 800})
            fits = "one => one.scrollWidth <= one.clientWidth"
            for selector in ("html", "#scroll", ".bar"):
                assert await page.locator(selector).evaluate(fits), selector
        await download.click()
        await expect(page).to_have_url(f"{address}login/?next=/admin/inference/download/discover/")
        assert (visit.complaints, visit.elsewhere) == ([], [])

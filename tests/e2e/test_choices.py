"""What the operator chooses for a model counts at once, in Chromium and for those who ask it."""

import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import expect

from tests.api.openai.site import eventually
from tests.e2e.login import sign_in
from tests.e2e.model_list import choose, confirm, open_model
from tests.e2e.site import Site
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture(scope="module")
def model(tiny_site: Site) -> Iterator[str]:
    """A model of the site for these tests alone."""
    draft = make_tiny_model(tiny_site.data_dir / "models" / ".chosen")
    folder = draft.rename(draft.with_name("chosen"))
    models = f"{tiny_site.url}/v1/models"
    assert eventually(lambda: '"chosen"' in httpx.get(models).text, within_s=20)
    yield folder.name
    httpx.post(f"{tiny_site.url}/api/models/unload", json={"model": folder.name})
    shutil.rmtree(folder)


@nightly
async def test_what_is_chosen_for_a_model_counts(tiny_site: Site, model: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 500}
    async with visiting(f"{tiny_site.url}/") as visit:
        page = visit.page
        await sign_in(page, tiny_site)
        await open_model(page, model)
        await page.fill("#id_context_cap", "100")
        await page.fill("#id_temperature", "0")
        await page.click("input[name=_save]")
        await expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
        await choose(page, tiny_site, model, "load")
        await confirm(page, model, "ready")
        long = body | {"messages": [{"role": "user", "content": "word " * 200}]}
        refused = await page.request.post(f"{tiny_site.url}/v1/chat/completions", data=long)
        assert refused.status == 400 and "100" in (await refused.json())["error"]["message"]
        texts = {
            (await (await page.request.post(f"{tiny_site.url}/v1/chat/completions", data=asked)).json())[
                "choices"
            ][0]["message"]["content"]
            for asked in [body | {"max_tokens": 8}] * 3
        }
        assert len(texts) == 1  # it is greedy now
        await open_model(page, model)
        await page.uncheck("#id_is_enabled")
        await page.click("input[name=_save]")
        refused = await page.request.post(
            f"{tiny_site.url}/v1/chat/completions", data=body | {"max_tokens": 8}
        )
        assert refused.status == 404
        assert "switched off" in (await refused.json())["error"]["message"]
        await open_model(page, model)
        await page.check("#id_is_enabled")
        await page.fill("#id_context_cap", "")
        await page.click("input[name=_save]")


async def test_a_model_is_pinned_and_unpinned(tiny_site: Site, model: str) -> None:
    async with visiting(f"{tiny_site.url}/") as visit:
        page = visit.page
        await sign_in(page, tiny_site)
        mark = page.locator("tr", has_text=model).locator("th .quiet")
        for action, has_mark in (("Pin", True), ("Unpin", False)):
            await page.get_by_role("button", name=f"{action} {model}", exact=True).click()
            await expect(page.locator(".messagelist")).to_have_text(f"{action}ned {model}.")
            assert ("pinned" in await mark.inner_text()) is has_mark
        assert (visit.complaints, visit.elsewhere) == ([], [])

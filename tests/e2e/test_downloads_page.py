"""The admin's page about downloads in Chromium: readable by everybody, and honest about a site it lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.login import sign_in
from tests.e2e.site import Site
from tests.e2e.test_downloads import begin, click
from tests.nightly import nightly, of_each_kind
from tests.playground.site import visiting
from tests.playground.test_accessible import DARK, VIEWS, complaints
from tests.repository.hub import REPO, FakeHub
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
LONG_NAME = "model-of-which-the-name-is-longer-than-any-telephone-is-wide-00001-of-00002.safetensors"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One whose hub never sends more than the beginning of the tokenizer."""
    hub = FakeHub.of(make_tiny_model(tmp_path_factory.mktemp("there") / "tiny"))
    hub.files[LONG_NAME] = bytes(1000)
    hub.holds_after["tokenizer.json"] = 1000
    with hub:
        env = {"HF_ENDPOINT": hub.endpoint}
        with Site(tmp_path_factory.mktemp("data"), "--no-starter", env=env) as site:
            yield site.wait_ready(60)


@nightly
@pytest.mark.parametrize("view", of_each_kind(VIEWS, [DARK]))
async def test_everybody_can_read_it_also_on_a_phone(site: Site, view: dict[str, Any]) -> None:
    async with visiting(f"{site.url}/", **view) as visit:
        page = visit.page
        article = await begin(page, site, REPO)
        await expect(article.locator(f'[data-file="{LONG_NAME}"]')).to_be_visible()
        root = "document.documentElement"
        assert await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
        assert await complaints(page) == []
        await click(page, "Cancel")
        await click(page, "Discard")
        await expect(article).to_have_count(0)


@nightly
async def test_a_lost_site_is_shown_and_asked_again(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page, context = visit.page, visit.page.context
        article = await begin(page, site, "org/other")
        await expect(article).to_have_attribute("data-state", "refused")
        link = page.locator("#downloads-link")
        await context.set_offline(True)
        await expect(link).to_have_text("Not live: the server cannot be reached. Trying again…")
        await context.set_offline(False)
        await expect(link).to_have_text("")
        await context.clear_cookies()
        site.cookies.clear()
        await expect(link).to_contain_text("sign in again")
        other = await context.new_page()
        await sign_in(other, site)
        await expect(other.locator("#content")).to_be_visible()
        await other.close()
        await expect(link).to_have_text("")
        await click(page, "Dismiss")  # in a form of the new session
        await expect(article).to_have_count(0)

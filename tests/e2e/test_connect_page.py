"""The page Connect in Chromium: a key is made, copied and tried in each dialect."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import Site
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import VIEWS, complaints
from tests.scripted_model import ANSWER, make_scripted_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    make_scripted_model(folder / "models" / "tiny")
    with Site(folder, "--no-starter") as site:
        yield site.wait_ready()


async def choose(page: Page, client: str) -> None:
    async with page.expect_navigation():
        await page.select_option("#connect-client", client)


@nightly
async def test_a_client_is_connected_without_leaving_the_page(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await sign_in(page, site)
        await page.goto(f"{site.url}/admin/")
        await page.get_by_role("link", name="Connect a client").click()
        await choose(page, "claude-code")
        await page.get_by_role("button", name="Make a key").click()
        key = await page.input_value("#connect-key")
        assert len(key) > 30
        text = page.locator("[data-text]").first
        await expect(text).to_contain_text(f"ANTHROPIC_AUTH_TOKEN={key}")
        await page.get_by_role("button", name="Copy For one terminal").click()
        await expect(page.locator("[data-copied]")).to_have_text("Copied.")
        assert await page.evaluate("navigator.clipboard.readText()") == await text.text_content()
        for client in ("claude-code", "codex", "openai-python"):
            await choose(page, client)
            assert await page.input_value("#connect-key") == key and key not in page.url
            await page.get_by_role("button", name="Ask", exact=True).click()
            outcome = page.locator("[data-outcome]")
            await expect(outcome).to_contain_text("It works", timeout=60_000)
            await expect(outcome).to_contain_text(ANSWER)
            await expect(outcome).to_contain_text("tokens out")
        await page.fill("#connect-key", key[:-1] + ("a" if key[-1] != "a" else "b"))
        await page.get_by_role("button", name="Ask", exact=True).click()
        await expect(outcome).to_contain_text("The server refused it (401): This API key is not valid")
        complaint = [text for text in visit.complaints if "401" not in text]
        assert complaint == [] and visit.elsewhere == []


@nightly
@pytest.mark.parametrize("view", VIEWS)
async def test_everybody_can_read_it_also_on_a_phone(site: Site, view: dict[str, Any]) -> None:
    async with visiting(f"{site.url}/", **view) as visit:
        page = visit.page
        await sign_in(page, site)
        await page.goto(f"{site.url}/admin/connect/?client=claude-code")
        await expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        root = "document.documentElement"
        assert await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
        assert await complaints(page) == []

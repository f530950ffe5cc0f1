"""From an empty data folder to a chat in the browser: find a model, see that it fits, ask it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.login import first_password, sign_in
from tests.e2e.site import Site
from tests.e2e.studio import ANSWER, SLOW
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints
from tests.repository.discovery.hub_answers import QWEN, entry
from tests.repository.hub import REPO, SEARCH, FakeHub, Refusal
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
WEIGHTS = "model.safetensors"
DOWNLOADS = "/admin/inference/download/"
PAGE = f"{DOWNLOADS}discover/"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    """A hub that finds two models, has one of them, and sends its weights when it is told to."""
    hub = FakeHub.of(make_tiny_model(tmp_path_factory.mktemp("there") / "tiny"))
    hub.results = [entry(REPO), entry(QWEN)]
    with hub:
        yield hub


@pytest.fixture(scope="module")
def site(hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("data")
    with Site(folder, "--no-starter", env={"HF_ENDPOINT": hub.endpoint}) as site:
        yield site.wait_ready()


@nightly
async def test_a_download_that_ends_while_the_hub_is_away_says_how(site: Site, hub: FakeHub) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await sign_in(page, site, at=f"{PAGE}?q=tiny")
        row = page.locator(f'[data-model="{REPO}"]')
        hub.holds_after[WEIGHTS] = 100_000
        await row.get_by_role("button", name="Download").click()
        await expect(row.locator("[data-progress-text]")).to_contain_text(re.compile("kB of"), timeout=SLOW)
        hub.refusals[SEARCH] = [Refusal(500)] * 5
        await page.evaluate("history.replaceState(null, '', '?q=not-asked-for-yet')")
        other = await page.context.new_page()
        await other.goto(f"{site.url}{DOWNLOADS}")
        await other.get_by_role("button", name="Cancel").click()
        acts = row.locator("[data-acts]")
        await expect(acts).to_have_text(
            re.compile(r"^\s*Cancelled\. The partial files are kept"), timeout=SLOW
        )
        await expect(row.locator("progress")).to_have_count(0)
        await page.goto(f"{site.url}{PAGE}?q=not-asked-for-yet")
        await expect(page.locator(".errornote")).to_contain_text("internal problem")
        await other.get_by_role("button", name="Discard").click()
        await expect(other.get_by_text("There are no downloads.")).to_be_visible()
        hub.refusals.clear()
        hub.holds_after.clear()  # else the next test waits for the header of the weights


@nightly
async def test_from_nothing_to_a_chat(site: Site, hub: FakeHub) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await page.get_by_role("link", name="Download a model").click()
        await page.fill("#id_username", "admin")
        await page.fill("#id_password", first_password(site))
        await page.press("#id_password", "Enter")
        await expect(page.get_by_role("heading", name="Recommended models")).to_be_visible(timeout=SLOW)
        assert await complaints(page) == []
        await page.get_by_label("Search terms, or the URL of a model").fill("tiny")
        await page.keyboard.press("Enter")
        row, other = (page.locator(f'[data-model="{name}"]') for name in (REPO, QWEN))
        await expect(row.locator("[data-verdict=good]")).to_contain_text(
            "Fits, with its whole context of 2,048"
        )
        await expect(other.locator("[data-verdict=bad]")).to_contain_text(f"The hub has no model {QWEN}")
        await expect(other.get_by_role("button")).to_have_count(0)
        assert await complaints(page) == []
        hub.holds_after[WEIGHTS] = 100_000
        await row.get_by_role("button", name="Download").click()
        await expect(row.locator("[data-progress-text]")).to_contain_text(re.compile("kB of"), timeout=SLOW)
        elsewhere = await page.context.new_page()
        await elsewhere.goto(f"{site.url}/admin/")
        line = elsewhere.locator(f'[data-running="{REPO}"]')
        await expect(line).to_contain_text(re.compile(f"Downloading.*{REPO}.*kB of", re.DOTALL))
        assert await complaints(elsewhere) == []
        hub.go_on.set()
        ended = elsewhere.locator("#ended-downloads")
        await expect(ended).to_have_text(f"Downloaded {REPO} Chat now", timeout=SLOW)
        await expect(line).to_have_count(0)
        assert await complaints(elsewhere) == []
        await row.get_by_role("link", name="Chat now").click(timeout=SLOW)
        await expect(page.locator(".picker-name")).to_have_text(REPO)
        await expect(page).to_have_url(f"{site.url}/")
        await page.fill("#prompt", "What is the capital of France?")
        await page.press("#prompt", "Enter")
        await expect(page.locator(ANSWER)).to_have_attribute(
            "data-status", re.compile("streaming|done"), timeout=SLOW
        )


@nightly
async def test_without_a_script_the_pages_show_it_all(site: Site) -> None:
    async with visiting(f"{site.url}/", java_script_enabled=False) as visit:
        page = visit.page
        await page.goto(f"{site.url}/admin/inference/download/discover/?q=tiny")
        await page.fill("#id_username", "admin")
        await page.fill("#id_password", first_password(site))
        await page.press("#id_password", "Enter")
        row = page.locator(f'[data-model="{QWEN}"]')
        await row.get_by_role("link", name="Does it fit?").click()
        await expect(page.locator(".errornote")).to_contain_text(f"The hub has no model {QWEN}")

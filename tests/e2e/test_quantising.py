"""A real site and Chromium quantise a tiny model: form, progress, result, load; readable by everybody."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from inference.core.quantisation import JOB_FILE
from inference.repository.files.staging import draft_of
from tests.e2e.login import sign_in
from tests.e2e.model_list import open_model
from tests.e2e.site import Site
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import DARK, NARROW, complaints
from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
LIST = "/admin/inference/quantisation/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data = tmp_path_factory.mktemp("data")
    make_tiny_model(data / "models" / "tiny")
    draft = draft_of(data / "models" / "left-4bit")
    draft.mkdir()
    for name in (JOB_FILE, "model.safetensors"):
        (draft / name).touch()
    with Site(data, "--no-starter") as site:
        yield site.wait_ready(60)


@nightly
async def test_what_a_killed_site_left_is_deleted_and_told(site: Site) -> None:
    models = Path(site._env["MLX_SERVER_DATA_DIR"]) / "models"
    assert [path.name for path in models.iterdir()] == ["tiny"]
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await sign_in(page, site, LIST)
        article = page.locator('[data-download="left-4bit"]')
        await expect(article).to_contain_text("Interrupted. The server stopped before it was complete.")
        await click(page, "Dismiss")
        await expect(article).to_have_count(0)


async def look(page: Page, name: str) -> None:
    """Nothing is wider than the page, and axe finds nothing; kept as a picture where a folder is given."""
    root = "document.documentElement"
    assert await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
    assert await complaints(page) == []
    if folder := os.environ.get("MLXSITE_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def click(page: Page, label: str) -> None:
    await page.get_by_role("button", name=label, exact=True).click()


async def form(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await open_model(page, "tiny")
    await page.get_by_role("link", name="Quantise…").click()
    await expect(page.locator("#id_name")).to_be_visible()


@nightly
async def test_a_model_is_quantised_loaded_and_told_of(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await form(page, site)
        await look(page, "form-light")
        await page.get_by_label("mixed_4_6").check()
        await click(page, "Quantise")
        article = page.locator('[data-download="tiny-mixed_4_6"]')
        await expect(article.locator('[data-file="Quantise"]')).to_be_visible(timeout=240_000)
        await look(page, "running-light")
        await expect(article).to_have_attribute("data-state", "done", timeout=240_000)
        await expect(article.get_by_role("row", name="Perplexity")).to_contain_text("±")
        await look(page, "done-light")
        await article.get_by_role("button", name="Load").click()
        # Nothing has to go, so there is no question.
        await expect(page.locator(".messagelist")).to_contain_text("Loading tiny-mixed_4_6")
        await page.goto(f"{site.url}{LIST}")
        await page.get_by_role("link", name="Open").click()
        await open_model(page, "tiny-mixed_4_6")
        await expect(page.get_by_text("Made of tiny with the recipe mixed_4_6")).to_be_visible()
        await expect(page.get_by_role("link", name="Quantise…")).to_have_count(0)


@nightly
@pytest.mark.parametrize("view", [DARK, NARROW], ids=["dark", "narrow"])
async def test_one_is_cancelled_by_everybody(site: Site, view: dict[str, Any]) -> None:
    kind = "dark" if view is DARK else "narrow"
    async with visiting(f"{site.url}/", **view) as visit:
        page = visit.page
        await form(page, site)
        await look(page, f"form-{kind}")
        await page.fill("#id_name", f"small-{kind}")
        await click(page, "Quantise")
        article = page.locator(f'[data-download="small-{kind}"]')
        await expect(article).to_be_visible()
        await look(page, f"running-{kind}")
        await article.get_by_role("button", name="Cancel").click()
        await expect(article).to_have_attribute("data-state", "cancelled")
        await look(page, f"cancelled-{kind}")
        await article.get_by_role("button", name="Dismiss").click()
        await expect(article).to_have_count(0)

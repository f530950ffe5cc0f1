"""A real site and Chromium: a GGUF file is uploaded with an interruption, imported and chatted with."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.login import sign_in
from tests.e2e.site import Site
from tests.gguf_files import tiny_weights, write_gguf
from tests.nightly import nightly
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
PAGE = "/admin/inference/download/gguf/"
PART_BYTES = 32_768


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    data = tmp_path / "data"
    (data / "gguf").mkdir(parents=True)
    (data / "gguf" / "broken.gguf").write_bytes(b"GGUF")
    env = {"MLX_SERVER_MAX_BODY_BYTES": str(PART_BYTES)}
    with Site(data, "--no-starter", env=env) as site:
        yield site.wait_ready(60)


async def look(page: Page, name: str) -> None:
    """Nothing is wider than the page, and axe finds nothing, in both schemes and on a phone."""
    root = "document.documentElement"
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
        assert await complaints(page) == []
        if folder := os.environ.get("MLXSITE_PICTURES"):
            await page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 900})


@nightly
async def test_a_file_is_uploaded_with_an_interruption_imported_and_chatted_with(
    site: Site, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=site.url) as client:  # it has started without any model
        assert (await client.get("/v1/models")).json()["data"] == []
        assert (await client.get("/health")).status_code == 200
    file = write_gguf(tmp_path / "small.gguf", tiny_weights(tmp_path / "t"))
    assert file.stat().st_size > 4 * PART_BYTES
    parts = 0

    async def break_off(route: Route) -> None:
        nonlocal parts
        parts += 1
        await (route.continue_() if parts <= 2 else route.abort("internetdisconnected"))

    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        page.on("dialog", lambda dialog: dialog.accept())  # leave the page during the upload
        await sign_in(page, site, PAGE)
        await expect(page.locator('[data-gguf="broken.gguf"]')).to_contain_text("cut off")
        await page.route("**/uploads/part?*", break_off)
        await page.set_input_files("#upload-file", file)
        await page.get_by_role("button", name="Upload", exact=True).click()
        state = page.locator("#upload [data-state]")
        await expect(state).to_have_text("The server cannot be reached. Trying again…")
        await page.reload()
        await expect(page.locator('[data-upload="small.gguf"]')).to_contain_text("0.1 MB of 0.")
        await look(page, "gguf-upload")

        await page.unroute("**/uploads/part?*")
        await page.set_input_files("#upload-file", file)
        await page.get_by_role("button", name="Upload", exact=True).click()
        await expect(state).to_have_text("small.gguf was uploaded. Import it above.")
        await expect(page.locator('[data-upload="small.gguf"]')).to_have_count(0)
        assert (site.data_dir / "gguf" / "small.gguf").read_bytes() == file.read_bytes()

        await page.get_by_role("button", name="Import small.gguf").click()
        article = page.locator('[data-download="small"]')
        await expect(article).to_have_attribute("data-state", "done", timeout=120_000)
        await look(page, "gguf-done")
        chat = article.get_by_role("link", name="Chat now")
        await expect(chat).to_have_attribute("href", "/?model=small")
        await chat.click()
        await expect(page.locator("#prompt")).to_be_visible()

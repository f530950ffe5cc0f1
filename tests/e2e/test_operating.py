"""Two real models where only one fits: what the operator sees before, and what happens then."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.model_list import choose, confirm
from tests.e2e.site import ROOT, STARTER, TWIN, Site, narrow_site
from tests.e2e.test_browser import ANSWER
from tests.gguf_starter import write_starter
from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
IMPORTED = "Imported-SmolLM2"


@pytest.fixture(scope="module")
def narrow(models_dir: Path) -> Iterator[Site]:
    with narrow_site(models_dir) as site:
        yield site


async def free(page: Page, site: Site) -> int:
    """How much of the dashboard's bar is free, in thousandths."""
    await page.goto(f"{site.url}/admin/")
    return int(await page.locator('rect[data-part="free"]').get_attribute("width") or 0)


@nightly
async def test_an_eviction_is_previewed_happens_and_is_explained(narrow: Site) -> None:
    async with visiting(f"{narrow.url}/") as visit:
        page = visit.page
        await sign_in(page, narrow)
        before = await free(page, narrow)
        other = await page.context.new_page()
        await free(other, narrow)
        followed = other.locator('[data-rows="models"]').get_by_role("button")
        await expect(followed).to_have_text(["Load", "Load"])
        await page.get_by_role("button", name=f"Load {STARTER}").click()
        preview = page.locator("[data-preview]")
        await expect(page).to_have_url(f"{narrow.url}/admin/")  # back where it was asked for
        await expect(page.locator(".messagelist")).to_contain_text(f"Loading {STARTER}.")
        await expect(page.locator('[data-rows="models"] tbody tr').first).to_contain_text(
            "ready", timeout=60_000
        )
        assert await free(page, narrow) < before - 200
        await choose(page, narrow, TWIN, "load")
        await expect(preview).to_contain_text(re.compile(rf"{STARTER} is unloaded \([\d.]+ GB, idle for"))
        await confirm(page, TWIN, "ready")
        await expect(page.locator(f'[data-state="{STARTER}"]')).to_have_text("unloaded")
        await page.goto(f"{narrow.url}/admin/")
        row = page.locator('[data-rows="events"]')
        await expect(row).to_contain_text(re.compile(rf"[Ee]victed {STARTER}: idle .* needed .* for {TWIN}"))
        await expect(followed).to_have_text(["Unload", "Load"])  # the twin, which is in memory, comes first
        await expect(followed.first).to_have_attribute("aria-label", f"Unload {TWIN}")
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
async def test_files_are_deleted_for_the_typed_name_only(narrow: Site) -> None:
    async with visiting(f"{narrow.url}/") as visit:
        page = visit.page
        await sign_in(page, narrow)
        await choose(page, narrow, STARTER, "load")
        await confirm(page, STARTER, "ready")
        await choose(page, narrow, TWIN, "unload_now")  # another took its place: that is not offered
        await expect(page.locator("[data-preview]")).to_have_text("It is not in memory.")
        await expect(page.locator("input[name=confirmed]")).to_have_count(0)
        await page.get_by_role("link", name="Cancel").click()
        await choose(page, narrow, TWIN, "remove")
        await page.get_by_label(f"Type {TWIN} to confirm").fill("twin")
        await page.click("input[name=confirmed]")
        await expect(page.locator(".errornote")).to_contain_text("nothing was changed")
        await delete(page, TWIN)
        await expect(page.locator("#result_list")).to_contain_text(STARTER)


@nightly  # the gate has tests/repository/test_gguf_import.py
async def test_an_imported_gguf_file_is_a_model_like_others(
    narrow: Site, models_dir: Path, tmp_path: Path
) -> None:
    file = write_starter(models_dir / STARTER, tmp_path / f"{IMPORTED}.gguf")
    async with visiting(f"{narrow.url}/") as visit:
        page, playground = visit.page, await visit.page.context.new_page()
        await sign_in(page, narrow)
        await playground.goto(f"{narrow.url}/")
        option = playground.locator("#picker-list .option", has_text=IMPORTED)
        await expect(option).to_have_count(0)
        await import_gguf(narrow, file)
        await expect(option).to_have_count(1)  # on a page that was open before
        await choose(page, narrow, IMPORTED, "load")
        await confirm(page, IMPORTED, "ready")
        await page.goto(f"{narrow.url}/admin/")
        shown = page.locator('[data-rows="models"] tbody tr', has_text=IMPORTED)
        await expect(shown).to_contain_text("ready")
        await playground.click("#picker-button")
        await option.click()
        assert "Paris" in await answer_about_france(playground)
        await choose(page, narrow, IMPORTED, "unload")
        await confirm(page, IMPORTED, "unloaded")
        await choose(page, narrow, IMPORTED, "remove")
        await delete(page, IMPORTED)
        await expect(option).to_have_count(0)
        assert (visit.complaints, visit.elsewhere) == ([], [])
    file.unlink()  # it is still there, and large


async def import_gguf(site: Site, file: Path) -> None:
    """What an operator types in another terminal."""
    command = [sys.executable, "manage.py", "import_gguf", str(file)]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=site._env, check=True)


async def answer_about_france(page: Page) -> str:
    await page.click("#settings-button")
    await page.fill("#set-temperature", "0")
    await page.keyboard.press("Escape")
    await page.fill("#prompt", "What is the capital of France?")
    await page.press("#prompt", "Enter")
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=60_000)
    return await page.locator(f"{ANSWER} > .prose").inner_text()


async def delete(page: Page, model: str) -> None:
    """Answer the question with the model's name."""
    await page.get_by_label(f"Type {model} to confirm").fill(model)
    await page.click("input[name=confirmed]")
    await expect(page.locator(".messagelist")).to_contain_text(f"The files of {model} were deleted.")
    await expect(page.locator("#result_list")).not_to_contain_text(model)


@nightly
async def test_a_key_is_made_shown_once_and_revoked(narrow: Site) -> None:
    async with visiting(f"{narrow.url}/") as visit:
        page = visit.page
        await sign_in(page, narrow)
        await page.goto(f"{narrow.url}/admin/inference/apikey/add/")
        await page.fill("#id_name", "laptop")
        await page.select_option("#id_owner", label="admin")
        await page.click("input[name=_save]")
        shown = await page.locator("body").inner_text()
        secret = re.search(r"mlx-[\w-]{20,}", shown)
        assert secret
        headers = {"Authorization": f"Bearer {secret[0]}"}
        asked = await page.request.get(f"{narrow.url}/v1/models", headers=headers)
        assert asked.status == 200
        await page.goto(f"{narrow.url}/admin/inference/apikey/")
        await expect(page.locator("body")).not_to_contain_text(secret[0])
        await page.get_by_role("button", name="Revoke laptop").click()
        await page.click("input[name=confirmed]")
        await expect(page.locator(".messagelist")).to_contain_text(re.compile("[Rr]evoked"))
        asked = await page.request.get(f"{narrow.url}/v1/models", headers=headers)
        assert asked.status == 401

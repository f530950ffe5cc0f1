"""Chromium on the real site: the playground answers with the real model, and the admin shows it."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.login import sign_in
from tests.e2e.model_list import choose, confirm
from tests.e2e.site import STARTER, Site
from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
ANSWER = ".message.is-assistant:last-child"


async def test_a_stranger_chats_with_the_real_model(site: Site, tmp_path: Path) -> None:
    async with visiting(f"{site.url}/") as visit:
        await visit.page.click("#settings-button")
        await visit.page.fill("#set-temperature", "0")
        await visit.page.keyboard.press("Escape")
        await visit.ask("What is the capital of France?")
        answer = visit.page.locator(ANSWER)
        await expect(answer).to_contain_text("Paris", timeout=120_000)
        await expect(answer.locator(".figures")).to_contain_text("tokens/s", timeout=60_000)
        await visit.page.screenshot(path=tmp_path / "playground.png")
        assert (visit.complaints, visit.elsewhere) == ([], [])
    assert (tmp_path / "playground.png").stat().st_size > 10_000


async def test_stop_ends_a_real_answer(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        await visit.ask("Write a very long story about a lighthouse.")
        answer = visit.page.locator(ANSWER)
        await expect(answer).to_have_attribute("data-status", "streaming", timeout=120_000)
        await expect(visit.page.locator(f"{ANSWER} > .prose")).to_contain_text(
            re.compile(r"\w+ \w+ \w+"), timeout=60_000
        )
        await visit.page.keyboard.press("Escape")
        await expect(answer).to_have_attribute("data-status", "stopped")
        assert visit.complaints == []


@nightly
async def test_the_admin_unloads_and_loads_the_model(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await sign_in(page, site)
        for action, reached in (("unload", "unloaded"), ("load", "ready")):
            await choose(page, site, STARTER, action)
            await confirm(page, STARTER, reached)
        await expect(page.locator(f'[data-memory="{STARTER}"]')).to_contain_text("GB")
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
async def test_a_new_key_is_copied_and_its_page_is_loaded_again_without_harm(site: Site) -> None:
    async with visiting(f"{site.url}/") as visit:
        page = visit.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await sign_in(page, site)
        await page.goto(f"{site.url}/admin/inference/apikey/add/")
        await page.fill("#id_name", "desk")
        await page.press("#id_name", "Enter")
        secret = await page.locator("[data-secret]").text_content()
        await page.click("[data-copy]")
        await expect(page.locator("[data-copied]")).to_have_text("Copied.")
        assert await page.evaluate("navigator.clipboard.readText()") == secret
        await page.reload()
        await expect(page.locator("h1")).to_have_text("This key was already shown")
        await page.goto(f"{site.url}/admin/inference/apikey/?q=desk")
        await expect(page.locator("#result_list tbody tr")).to_have_count(1)

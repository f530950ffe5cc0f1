"""The quiet lines about downloads: progress, the way to use the model, and what went wrong."""

import re

import pytest
from playwright.async_api import expect

from tests.playground.scripted_downloads import MODEL
from tests.playground.site import set_download, visiting
from tests.playground.test_accessible import DARK, complaints

pytestmark = pytest.mark.browser


async def test_a_download_is_followed_until_its_model_is_used(address: str) -> None:
    async with visiting(address, **DARK) as visit:
        page = visit.page
        lines, line = page.locator("#downloads"), page.locator(f'[data-download="{MODEL}"]')
        await expect(page.locator(".picker-state")).to_have_text("ready")
        await expect(lines).to_be_hidden()
        try:
            await set_download(address, "running")
            await expect(line).to_have_text(f"Downloading {MODEL}, 42 %")
            assert await complaints(page) == []
            await set_download(address, "failed")
            ended = lines.get_by_role("status")
            await expect(ended).to_contain_text(f"Not downloaded: {MODEL}. The hub cannot be reached.")
            await set_download(address, "running")  # it is resumed
            await expect(line).to_have_text(f"Downloading {MODEL}, 42 %")
            await set_download(address, "done")
            await expect(ended).to_contain_text(re.compile(rf"Downloaded {MODEL}\..*Chat now"))
            assert await complaints(page) == []
            await page.fill("#prompt", "A question that stays")
            await ended.get_by_role("link", name=f"Chat now with {MODEL}").click()
            await expect(page.locator(".picker-name")).to_have_text(MODEL)
            await expect(page.locator("#prompt")).to_have_value("A question that stays")
            await expect(page.locator("#prompt")).to_be_focused()
            await expect(lines).to_be_hidden()
        finally:
            await set_download(address, "none")
        assert visit.complaints == []

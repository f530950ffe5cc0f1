"""The quiet lines about downloads: progress, the way to use the model, and what went wrong."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
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


PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
# The longest id that the hub allows in the place of the line's.
LONG = """line => {
  const [text, long] = [line.firstChild, `${"x".repeat(96)}/${"y".repeat(96)}`];
  text.data = text.data.replace(/[\\w-]+\\/[\\w.-]+/, long);
}"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """line => [...line.querySelectorAll("a, button")]
  .filter((one) => one.getBoundingClientRect().height < 40)
  .map((one) => one.outerHTML)"""


@nightly
async def test_on_a_phone_its_line_fits_and_its_buttons_can_be_hit(address: str) -> None:
    async with visiting(address, **PHONE) as visit:
        page = visit.page
        line = page.locator(f'[data-download="{MODEL}"]')
        await expect(page.locator(".picker-state")).to_have_text("ready")
        try:
            for state in ("running", "failed", "running", "done"):
                await set_download(address, state)
                await expect(line).to_have_attribute("data-state", state)
                assert (state, await line.evaluate(SMALL)) == (state, [])
                await line.evaluate(LONG)
                assert (state, await page.evaluate(TOO_WIDE)) == (state, 0)
                assert await complaints(page) == []
            composer = await page.locator("#prompt").bounding_box()
            assert composer and composer["y"] + composer["height"] <= 780
            await line.get_by_role("link", name=f"Chat now with {MODEL}").tap()
            await expect(page.locator(".picker-name")).to_have_text(MODEL)
        finally:
            await set_download(address, "none")

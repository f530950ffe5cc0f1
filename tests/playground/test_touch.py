"""Fingers: targets of 40 px, fields of 16 px, and nothing wider than a small phone."""

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
TARGETS = "button, summary, select, textarea, input, [role=menuitem], .tool, .row-link"
SMALL = (
    f"() => [...document.querySelectorAll('{TARGETS}')]"
    + """
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter(({ type }) => type !== "checkbox" && type !== "range")
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, { width, height }]) => width > 1 && (height < 39.5 || width < 39.5))
  .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 90)} ${width} x ${height}`)"""
)
ZOOMING = """() => [...document.querySelectorAll("input, textarea, select")]
  .filter((one) => one.checkVisibility() && parseFloat(getComputedStyle(one).fontSize) < 16)
  .map((one) => one.outerHTML)"""
WIDE = "document.documentElement.scrollWidth > innerWidth || innerWidth > 320"


async def misfits(page: Page) -> list[object]:
    return [await page.evaluate(SMALL), await page.evaluate(ZOOMING), await page.evaluate(WIDE)]


@nightly
async def test_every_view_fits_fingers_and_a_small_phone(address: str) -> None:
    async with visiting(address, reduced_motion="reduce", **PHONE) as visit:
        page = visit.page
        assert await misfits(page) == [[], [], False]
        await page.fill("#prompt", "How does one list primes?")
        await page.click("#send")
        await expect(page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        assert await misfits(page) == [[], [], False]
        for selector in (".wide", ".code pre"):
            box = page.locator(selector).first
            assert await box.evaluate("node => getComputedStyle(node).overflowX") == "auto", selector
            assert await box.evaluate("node => node.getBoundingClientRect().right") <= 320, selector
        await page.get_by_label("Edit question").click()
        assert await misfits(page) == [[], [], False]
        await page.get_by_role("button", name="Cancel").click()
        await page.click("#settings-button")
        await expect(page.locator("#settings-panel")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        assert await misfits(page) == [[], [], False]
        await page.locator("#settings-panel").press("Escape")
        await expect(page.locator("#settings-panel")).to_be_hidden()
        await page.click("#picker-button")
        assert await misfits(page) == [[], [], False]
        await page.keyboard.press("Escape")
        await page.click("#sidebar-toggle")
        await expect(page.locator(".row").first).to_be_visible()
        await page.locator(".row .mini").first.click()
        assert await misfits(page) == [[], [], False]

"""axe finds nothing in the main views, light, dark and narrow: WCAG 2.2 A and AA."""

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly, of_each_kind
from tests.playground.menus import choose
from tests.playground.site import Visit, capturing, visiting

pytestmark = pytest.mark.browser
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LIGHT: dict[str, Any] = {"color_scheme": "light"}
DARK: dict[str, Any] = {"color_scheme": "dark"}
NARROW: dict[str, Any] = {"color_scheme": "light", "viewport": {"width": 390, "height": 800}}
ALL = [LIGHT, DARK, NARROW]
VIEWS = of_each_kind(ALL, [DARK, NARROW])


async def complaints(page: Page) -> list[str]:
    """What axe says is wrong, with the first place of each."""
    await page.evaluate(AXE)
    found = await page.evaluate("rules => axe.run(document, rules)", RULES)
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


async def answered(visit: Visit) -> None:
    await visit.page.click("#settings-button")
    await visit.page.get_by_text("Token probabilities", exact=True).click()
    await visit.page.keyboard.press("Escape")
    await visit.ask("How does one list primes?")
    await expect(visit.page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)


@nightly
@pytest.mark.parametrize("view", of_each_kind(ALL, [NARROW]))
async def test_the_empty_page(address: str, view: dict[str, Any]) -> None:
    async with visiting(address, reduced_motion="reduce", **view) as visit:
        assert await complaints(visit.page) == []


@pytest.mark.parametrize("view", of_each_kind(ALL, [NARROW]))
async def test_the_line_about_a_capture(address: str, view: dict[str, Any]) -> None:
    async with capturing(address), visiting(address, reduced_motion="reduce", **view) as visit:
        await expect(visit.page.locator("#kept")).to_be_visible()
        assert await complaints(visit.page) == []


@pytest.mark.parametrize("view", of_each_kind(ALL, [DARK]))
async def test_a_conversation_with_everything_open(address: str, view: dict[str, Any]) -> None:
    async with visiting(address, reduced_motion="reduce", **view) as visit:
        await answered(visit)
        await visit.page.get_by_label("Regenerate").click()
        await expect(visit.page.locator(".is-assistant .takes-place")).to_have_text("2 of 2")
        await expect(visit.page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        await choose(visit.page.locator(".is-assistant"), "Details")
        await visit.page.locator(".is-assistant").get_by_role("button", name="More", exact=True).click()
        assert await complaints(visit.page) == []
        await visit.page.keyboard.press("Escape")
        await visit.page.get_by_role("button", name="Other model or settings").click()
        assert await complaints(visit.page) == []
        await visit.page.keyboard.press("Escape")
        await choose(visit.page.locator(".is-assistant"), "Edit")
        assert await complaints(visit.page) == []


@nightly
@pytest.mark.parametrize("view", of_each_kind(ALL, [NARROW]))
async def test_the_settings_the_picker_and_the_list(address: str, view: dict[str, Any]) -> None:
    async with visiting(address, reduced_motion="reduce", **view) as visit:
        page = visit.page
        await page.click("#settings-button")
        sections = page.locator("#settings-panel details")
        await sections.evaluate_all("all => { for (const one of all) one.open = true; }")
        await page.fill("#set-system", "Today is {{date}}.")
        await page.fill("#set-temperature", "0,7")
        await expect(page.get_by_role("button", name="Use 0.7")).to_be_visible()
        assert await complaints(page) == []
        await page.keyboard.press("Escape")
        await page.click("#picker-button")
        assert await complaints(page) == []
        await page.locator(".comparison-open:visible").click()
        assert await complaints(page) == []
        await page.keyboard.press("Escape")
        if await page.locator("#sidebar").is_hidden():
            await page.click("#sidebar-toggle")
        await expect(page.locator(".row, .conversations .note").first).to_be_visible()
        assert await complaints(page) == []

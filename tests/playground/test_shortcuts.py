"""The page's own keys: Escape acts where the focus is, and a Mac's keys are a Mac's."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import Visit, visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
MAC = "Object.defineProperty(navigator, 'platform', { get: () => 'MacIntel' })"
# Which of these keys the page keeps from the field.
TAKEN = """keys => keys.filter((key) => !document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, ctrlKey: true, bubbles: true, cancelable: true })))"""


async def streaming(visit: Visit) -> None:
    await visit.ask("Talk forever")
    await expect(visit.page.locator(f"{ANSWER} > .prose")).to_contain_text("calm way")


async def test_escape_closes_what_is_open_and_only_then_stops(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await streaming(visit)
        await page.fill("#search", "weather")
        await page.press("#search", "Escape")
        await expect(page.locator("#search")).to_have_value("")
        await page.press("#search", "Escape")
        await page.click("#picker-button")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("Escape")
        await expect(page.locator("#picker-panel")).to_be_hidden()
        await page.locator(".unfiled .row").first.hover()
        await page.get_by_label(re.compile("More about")).first.click()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_be_hidden()
        await page.keyboard.press("Control+/")
        await page.keyboard.press("Escape")
        await expect(page.locator("#help")).to_be_hidden()
        await page.click("#settings-button")
        await expect(page.locator("#settings-panel")).to_be_visible()
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("Escape")
        await expect(page.locator("#settings-panel")).to_be_hidden()
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await page.keyboard.press("Escape")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


@nightly
async def test_escape_closes_the_sidebar_that_covers_the_page(address: str) -> None:
    async with visiting(address, viewport={"width": 390, "height": 800}) as visit:
        await streaming(visit)
        await visit.page.click("#sidebar-toggle")
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.locator("#sidebar")).to_be_hidden()
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


async def keys_of(page: Page) -> list[str]:
    return await page.locator("#help dt").all_inner_texts()


@nightly
async def test_a_mac_has_its_own_keys(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.add_init_script(MAC)
        await page.reload()
        prompt = page.locator("#prompt")
        await prompt.fill("some text")
        assert await page.evaluate(TAKEN, ["a", "b", "e", "f", "k", "n", "p", "d", "h", "."]) == []
        await expect(page.locator("#sidebar")).to_be_visible()
        await page.keyboard.press("Meta+b")
        await expect(page.locator("#sidebar")).to_be_hidden()
        await page.keyboard.press("Meta+k")
        await expect(page.locator("#search")).to_be_focused()
        await expect(page.locator("#hint")).to_contain_text("⇧+return for a new line")
        await page.keyboard.press("Meta+/")
        keys = await keys_of(page)
        assert "⌘ K" in keys and "⇧ ⌘ O" in keys and not any("Ctrl" in key for key in keys)


@nightly
async def test_the_other_keys_and_none_of_the_browsers(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await visit.ask("How does one list primes?")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        await page.keyboard.press("Control+Shift+Semicolon")
        await expect(page.locator("#toast")).to_contain_text("The last code block was copied.")
        assert (await page.evaluate("navigator.clipboard.readText()")).startswith("def primes_below")
        await page.keyboard.press("Control+Shift+Quote")
        await expect(page.locator("#toast")).to_contain_text("The last answer was copied.")
        assert (await page.evaluate("navigator.clipboard.readText()")).startswith(
            "A sieve is the **calm way**"
        )
        await page.keyboard.press("Control+.")
        await expect(page.locator("#settings-panel")).to_be_visible()
        await page.keyboard.press("Escape")
        assert await page.evaluate(TAKEN, [*"acdfhjlnprstuvwxz", "+", "-", "0", "Tab", "F5"]) == []
        cyrillic = {"key": "л", "code": "KeyK", "ctrlKey": True, "bubbles": True, "cancelable": True}
        await page.locator("#prompt").dispatch_event("keydown", cyrillic)
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.press("Control+Shift+o")
        await expect(page.locator(".message")).to_have_count(0)

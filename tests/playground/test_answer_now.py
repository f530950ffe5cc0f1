"""The button that ends the reasoning of a running answer, in Chromium."""

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
BUTTON = "Answer now"


async def test_an_answer_begins_at_the_press_of_a_button(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Think endlessly")
        button = visit.page.get_by_role("button", name=BUTTON)
        await expect(visit.page.locator(f"{ANSWER} .reasoning")).to_be_visible()
        await expect(button).to_be_visible()
        await button.click()
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await expect(button).to_be_hidden()
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        await expect(button).to_be_hidden()
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
async def test_it_is_there_after_a_reload(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Think endlessly")
        await expect(visit.page.get_by_role("button", name=BUTTON)).to_be_visible()
        await visit.page.reload()
        await visit.page.get_by_role("button", name=BUTTON).click()
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")


@nightly
async def test_an_answer_that_does_not_think_has_no_such_button(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Talk forever")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await expect(visit.page.get_by_role("button", name=BUTTON)).to_be_hidden()
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


@nightly
async def test_one_that_is_stopped_while_it_thinks_loses_the_button(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Think endlessly")
        await expect(visit.page.get_by_role("button", name=BUTTON)).to_be_visible()
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
        await expect(visit.page.get_by_role("button", name=BUTTON)).to_be_hidden()

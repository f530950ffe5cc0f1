"""The newest answer by keyboard, in Chromium: its menus, and the way back from a new answer."""

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import visiting
from tests.playground.test_verbs import ask, ended, last

pytestmark = pytest.mark.browser


async def test_the_last_answers_menus_open_by_keyboard_and_a_new_answer_is_undone(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        undo = page.get_by_role("button", name="Undo").last
        await page.keyboard.press("Control+Quote")
        await expect(page.locator("#toast")).to_contain_text("There is no complete answer.")
        await ask(visit, "First echo")
        await ask(visit, "Second primes")
        await page.keyboard.press("Control+Semicolon")
        await expect(page.get_by_role("menuitem").first).to_be_focused()
        await page.keyboard.press("m")  # More creative
        await page.keyboard.press("Enter")
        place = last(page).locator(".takes-place")
        await expect(place).to_have_text("2 of 2")
        await undo.click()  # mostly while it is written
        await expect(last(page)).to_have_attribute("data-status", "done")
        await expect(place).to_be_hidden()
        await last(page).get_by_role("button", name="Regenerate", exact=True).click()
        await expect(place).to_have_text("2 of 2")
        await ended(page)
        await ask(visit, "Third echo")
        await undo.click()  # what was asked below the new answer stays
        await expect(page.locator(".message")).to_have_count(4)
        await expect(place).to_have_text("1 of 2")
        await page.reload()
        await expect(place).to_have_text("1 of 2")
        await prompt.focus()
        await page.keyboard.press("Control+Quote")
        await page.keyboard.press("b")
        await page.keyboard.press("Enter")  # Branch into a new chat
        await expect(page.locator("#toast")).to_contain_text("branched from “First echo”")
        await visit.ask("Think endlessly")
        await expect(page.get_by_role("button", name="Answer now")).to_be_visible()
        await page.keyboard.press("Control+Quote")
        await expect(page.get_by_role("button", name="Answer now")).to_be_focused()
        await page.keyboard.press("Enter")
        await ended(page)
        assert visit.complaints == []


@nightly
async def test_of_two_that_are_deleted_each_comes_back(address: str) -> None:
    async with visiting(address) as visit:
        page, undo = visit.page, visit.page.get_by_role("button", name="Undo").last
        await ask(visit, "Some primes")
        await last(page).get_by_role("button", name="Regenerate", exact=True).click()
        place = last(page).locator(".takes-place")
        await expect(place).to_have_text("2 of 2")
        await ended(page)
        for left in (1, 0):  # both have the same words
            await choose(last(page), "Delete")
            await expect(page.locator(".message.is-assistant")).to_have_count(left)
            await expect(undo).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message.is-assistant")).to_have_count(1)
        await undo.click()
        await expect(place).to_have_text("2 of 2")


async def test_an_edited_answer_stays_in_its_form_through_a_reload(address: str) -> None:
    async with visiting(address) as visit:
        page, field = visit.page, visit.page.get_by_role("textbox", name="Edit the answer")
        await ask(visit, "Please echo")
        await page.keyboard.press("Control+Quote")
        await page.keyboard.press("Enter")  # Edit
        await field.fill(" ")
        await field.press("Control+Enter")
        await expect(page.get_by_role("alert")).to_contain_text("An answer cannot be empty.")
        await field.fill("A better answer")
        await page.reload()
        await expect(field).to_have_value("A better answer")
        await page.click("#new-chat")
        await page.go_back()
        await expect(field).to_have_value("A better answer")
        await field.press("Control+Enter")
        await expect(last(page).locator("> .prose")).to_have_text("A better answer")
        await page.reload()
        await expect(last(page).locator("> .prose")).to_have_text("A better answer")
        await expect(field).to_have_count(0)
        assert visit.complaints == []

"""What is done with a message, in Chromium: from its menu, by keyboard, and undone where it deletes."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import Visit, visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant"


def last(page: Page) -> Locator:
    return page.locator(ANSWER).last


def more(message: Locator) -> Locator:
    return message.get_by_role("button", name="More", exact=True)


async def ended(page: Page) -> None:
    await expect(last(page)).to_have_attribute(
        "data-status", re.compile("done|stopped|failed"), timeout=20_000
    )


async def ask(visit: Visit, question: str) -> None:
    await visit.ask(question)
    await expect(visit.page.locator(".message.is-user").last).to_contain_text(question)
    await expect(last(visit.page)).to_be_visible()
    await ended(visit.page)


async def test_a_cut_answer_goes_on_from_inside_its_code_block_after_a_reload_and_again(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await ask(visit, "Tell it in portions")
        code = last(page).locator("pre code").first
        begun = await code.inner_text()
        assert "primes_below" in begun and "return" not in begun
        await expect(last(page).locator(".figures")).to_contain_text("stopped at the length limit")
        await page.reload()
        resume = last(page).get_by_role("button", name="Continue", exact=True)
        await resume.click()
        await expect(code).to_contain_text("return [number")
        await ended(page)
        assert (await code.inner_text()).startswith(begun.rstrip())
        await expect(page.locator(ANSWER)).to_have_count(1)
        undo = page.get_by_role("button", name="Undo").last
        await undo.click()
        await expect(last(page)).not_to_contain_text("It stops at the square root")
        assert (await code.inner_text()).rstrip() == begun.rstrip()
        await resume.click()
        await expect(undo).to_be_visible()
        await resume.click()
        await expect(last(page)).to_contain_text("It stops at the square root")
        await ended(page)
        await expect(resume).to_be_hidden()
        await expect(last(page)).to_contain_text("It stops at the square root")
        await expect(last(page).locator("pre")).to_have_count(1)
        await expect(last(page).locator(".figures")).not_to_contain_text("length limit")
        await choose(last(page), "Details")
        await expect(last(page).get_by_role("region", name="Details")).to_contain_text(
            re.compile(r"continued\s*2 times")
        )
        await choose(last(page), "Continue")
        await expect(page.locator("#toast")).to_contain_text("added nothing")
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
async def test_stopped_and_failed_answers_go_on_and_what_cannot_says_why(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        resume = last(page).get_by_role("button", name="Continue", exact=True)
        await visit.ask("Talk forever")
        await expect(last(page)).to_contain_text("calm way")
        await page.keyboard.press("Escape")
        await ended(page)
        await expect(last(page).locator(".figures")).to_contain_text(re.compile(r"stopped · \d+ tokens"))
        await resume.click()
        await expect(last(page).locator("pre code").first).to_contain_text("primes_below")
        await expect(last(page)).to_have_attribute("data-status", "streaming")
        await page.keyboard.press("Escape")
        await ended(page)
        await page.click("#new-chat")
        await ask(visit, "This one dies")
        await expect(page.get_by_role("alert")).to_be_visible()
        await expect(last(page).locator(".figures")).to_contain_text("12 tokens")
        await resume.click()  # and it dies again after as many tokens
        await expect(last(page).locator(".figures")).to_contain_text("24 tokens")
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.click("#new-chat")
        await visit.ask("Think endlessly")
        await expect(last(page).locator(".reasoning")).to_be_visible()
        await page.keyboard.press("Escape")
        await ended(page)
        await expect(resume).to_be_hidden()
        await more(last(page)).click()
        item = page.get_by_role("menuitem", name="Continue")
        await expect(item).to_have_attribute("aria-disabled", "true")
        await expect(item).to_contain_text("still reasoning")


@nightly
async def test_an_edited_answer_in_a_long_chat_keeps_what_follows_and_its_original(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        for question in ("First echo", "Second echo", "Third echo"):
            await ask(visit, question)
        first = page.locator(ANSWER).first
        original = await first.locator(".prose").last.inner_text()
        await choose(first, "Edit")
        field = page.get_by_role("textbox", name="Edit the answer")
        await expect(field).to_be_focused()
        await field.fill("A **better** answer")
        await page.context.set_offline(True)
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.locator("#toast")).to_contain_text("cannot be reached")
        await expect(field).to_have_value("A **better** answer")
        await page.context.set_offline(False)
        await field.press("Control+Enter")
        await expect(first.locator("strong")).to_have_text("better")
        await expect(first.get_by_text("edited")).to_be_visible()
        await expect(page.locator(".message")).to_have_count(6)
        await expect(first.locator(".takes-place")).to_have_text("2 of 2")
        await page.reload()
        await expect(first.locator(".takes-place")).to_have_text("2 of 2")
        await first.get_by_label("Previous version").click()
        await expect(first).to_contain_text(original)
        await expect(first.get_by_text("edited")).to_be_hidden()
        await first.get_by_label("Next version").click()
        await expect(page.locator(".message")).to_have_count(6)
        await ask(visit, "Fourth echo")
        await expect(last(page)).to_contain_text("assistant: A better answer | user: Second echo")
        await choose(first, "Edit")
        await field.fill("Never mind")
        await field.press("Escape")
        await expect(first.locator("strong")).to_have_text("better")
        await expect(more(first)).to_be_focused()
        await page.get_by_role("button", name="Undo").last.click()
        await expect(field).to_have_value("Never mind")
        await field.fill("Worse")
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_role("button", name="Undo").last.click()
        await expect(first.locator("strong")).to_have_text("better")
        await expect(first.locator(".takes-place")).to_have_text("2 of 2")


@nightly
async def test_a_question_with_three_answers_is_deleted_and_undone_by_keyboard(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await ask(visit, "Only echo")
        for _ in range(2):
            await last(page).get_by_role("button", name="Regenerate", exact=True).click()
            await expect(last(page)).to_have_attribute("data-status", re.compile("waiting|streaming"))
            await ended(page)
        await last(page).get_by_label("Previous version").click()
        place = last(page).locator(".takes-place")
        await expect(place).to_have_text("2 of 3")
        question = page.locator(".message.is-user")
        await more(question).focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("menuitem").first).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("menu")).to_have_count(0)
        await expect(more(question)).to_be_focused()
        await page.keyboard.press("ArrowUp")
        await expect(page.get_by_role("menuitem", name="Delete", exact=True)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message")).to_have_count(0)
        await expect(page.locator("#welcome")).to_be_visible()
        await expect(page.locator("#toast")).to_contain_text("with the 3 below it")
        await expect(page.get_by_role("button", name="Undo").last).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".message")).to_have_count(2)
        await expect(place).to_have_text("2 of 3")
        await choose(last(page), "Delete")
        await expect(place).to_have_text("1 of 2")
        await page.get_by_role("button", name="Undo").last.click()
        await expect(place).to_have_text("2 of 3")
        await choose(question, "Delete")
        await expect(page.locator(".message")).to_have_count(0)
        await page.reload()
        await ask(visit, "Another echo")
        await expect(page.locator(".message")).to_have_count(2)
        await choose(last(page), "Delete")
        await expect(page.locator(".message")).to_have_count(1)
        await page.get_by_role("button", name="Get an answer").click()
        await expect(last(page)).to_contain_text("user: Another echo")
        await expect(page.get_by_role("button", name="Get an answer")).to_be_hidden()
        assert visit.complaints == []


@nightly
async def test_a_chat_is_branched_from_the_middle_while_an_answer_runs(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await ask(visit, "Middle echo")
        await visit.ask("Talk forever")
        await expect(last(page)).to_contain_text("calm way")
        origin = page.url
        await choose(page.locator(ANSWER).first, "Branch into a new chat")
        await page.wait_for_url(lambda url: url != origin)
        await expect(page.locator(".message")).to_have_count(2)
        await expect(last(page)).to_contain_text("user: Middle echo")
        link = page.get_by_role("link", name="Middle echo", exact=True).first
        await ask(visit, "Branch echo")
        await expect(last(page)).to_contain_text("user: Middle echo")
        await link.click()
        await page.wait_for_url(origin)
        await expect(page.get_by_label("Stop", exact=True)).to_be_visible()
        await choose(page.locator(".message.is-user").last, "Delete")  # and the answer below it is stopped
        await expect(page.locator(".message")).to_have_count(2)
        await expect(page.locator(".picker-state")).to_have_text("ready")
        await page.click("#new-chat")
        await page.get_by_role("button", name="Undo").last.click()  # from another chat
        await page.wait_for_url(origin)
        await expect(last(page)).to_have_attribute("data-status", "stopped")


@nightly
async def test_editing_during_an_answer_stops_that_answer_and_the_focus_is_not_lost(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await ask(visit, "First echo")
        await prompt.press("ArrowUp")
        field = page.get_by_label("Edit your question")
        await expect(field).to_be_focused()
        await field.press("Escape")
        await expect(prompt).to_be_focused()
        pen = page.get_by_label("Edit question").last
        await pen.press("Enter")
        await field.press("Escape")
        await expect(pen).to_be_focused()
        await page.click("#new-chat")
        await visit.ask("Talk forever")
        await expect(last(page)).to_contain_text("calm way")
        await visit.ask("Too early")
        await expect(page.locator("#toast")).to_contain_text("Not sent: the answer is still in progress.")
        await expect(prompt).to_have_value("Too early")
        await expect(page.locator(".message")).to_have_count(2)
        await page.get_by_label("Edit question").click()
        await field.fill("A new echo")
        await field.press("Enter")
        await expect(page.locator("#toast")).to_contain_text("The earlier answer was stopped.")
        await ended(page)
        await expect(last(page)).to_contain_text("user: A new echo")
        await expect(prompt).to_be_focused()
        await expect(page.locator('#sidebar .row:has([aria-current="page"]) .row-dot')).to_have_count(0)
        await page.get_by_label("Previous version").first.click()
        await expect(last(page)).to_have_attribute("data-status", "stopped")
        await expect(last(page)).to_contain_text("calm way")
        await visit.ask("Talk forever")
        await expect(page.locator("#announcer")).to_have_text("Generating.")
        await page.click("#new-chat")
        await expect(page.locator("#announcer")).to_be_empty()  # that answer is out of sight
        await expect(page.locator("a.sign-in")).to_have_attribute("href", "/login/?next=%2F")  # not that chat
        await page.go_back()
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.locator("#announcer")).to_have_text("Stopped.")
        assert visit.complaints == []


async def test_an_answer_is_made_anew_with_other_models_and_settings(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#settings-button")
        await page.get_by_label("Maximum length").fill("64")
        await page.keyboard.press("Escape")
        await ask(visit, "Please echo")
        await last(page).get_by_role("button", name="Other model or settings").click()
        warmer = page.get_by_role("menuitem", name="More creative")
        await expect(warmer).to_contain_text("temperature 1.2 instead of 0.6, the model's")
        await page.keyboard.press("Escape")

        async def anew(name: str) -> None:
            await last(page).get_by_role("button", name="Other model or settings").click()
            await page.get_by_role("menuitem", name=name, exact=True).click()

        ways = [("More creative", "temperature 1.2"), ("More precise", "temperature 0.2")]
        ways += [("Same model", "temperature 0.2"), ("With the current settings", "temperature None")]
        for count, (name, expected) in enumerate(ways, start=2):
            await anew(name)
            await expect(last(page).locator(".takes-place")).to_have_text(f"{count} of {count}")
            await expect(last(page)).to_contain_text(expected)
            await ended(page)
        await last(page).get_by_role("button", name="Other model or settings").click()
        await expect(page.get_by_role("menuitem", name="Longer")).to_contain_text("128 tokens instead of 64")
        await page.keyboard.press("Escape")
        await anew("slow-loader")
        await expect(last(page).locator(".by")).to_have_text("slow-loader")
        await expect(last(page).locator(".takes-place")).to_have_text("6 of 6")
        await ended(page)
        await expect(page.locator(".picker-name")).to_have_text("scripted-model")
        assert visit.complaints == []

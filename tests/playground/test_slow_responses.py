"""A slow server: no text is lost, nothing is done twice, and late answers leave the present chat alone."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly, of_each_kind
from tests.playground.menus import choose
from tests.playground.site import Visit, visiting
from tests.playground.slow_site import OPENED, holding

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
CHIPS = "#attachments .chip"
numbers = itertools.count()  # the tests of a process have one list of chats
CHAT_OF_PAGE = "fetch(`/chat/conversations/${location.pathname.slice(3)}/`).then((r) => r.json())"


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


async def two_chats(visit: Visit) -> tuple[str, str]:
    """The titles of two chats in the list, of which the second one is open."""
    number = next(numbers)
    titles = f"First {number} echo", f"Second {number} echo"
    for title in titles:
        await visit.page.click("#new-chat")
        await visit.ask(title)
        await ended(visit.page)
        await expect(visit.page.locator(".row-link", has_text=title)).to_be_visible()
    return titles


async def click(page: Page, title: str) -> None:
    await page.locator(".row-link", has_text=title).click()


async def shows(page: Page, title: str, count: int = 1) -> None:
    await expect(page.locator(".message.is-user")).to_have_count(count)
    await expect(page.locator(".message.is-user").first).to_contain_text(title)
    await expect(page.locator(".row-link[aria-current]")).to_contain_text(title)


async def questions(page: Page) -> list[str]:
    whole: Any = await page.evaluate(CHAT_OF_PAGE)
    return [one["content"] for one in whole["messages"] if one["role"] == "user"]


@pytest.mark.parametrize("is_lost", of_each_kind([False, True], [False]))
async def test_of_several_chats_the_last_one_clicked_is_shown(address: str, is_lost: bool) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        await page.click("#new-chat")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            late.is_on = False
            await click(page, second)
            await shows(page, second)
            await prompt.fill("for the second")
            late.lose() if is_lost else late.release()
        await page.evaluate("fetch('/chat/conversations/').then((r) => r.text())")
        await shows(page, second)
        await expect(prompt).to_have_value("for the second")
        await prompt.press("Enter")
        await shows(page, second, 2)
        assert await questions(page) == [second, "for the second"]


@nightly
async def test_a_new_chat_stays_new_when_an_earlier_one_has_loaded(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await page.click("#new-chat")
            await page.fill("#prompt", "a new thought")
            late.release()
        await page.evaluate("fetch('/chat/conversations/').then((r) => r.text())")
        await expect(page.locator(".message")).to_have_count(0)
        assert page.url == visit.address
        await expect(page.locator("#prompt")).to_have_value("a new thought")


@nightly
async def test_a_chat_that_could_not_be_loaded_is_tried_again_and_the_open_one_stays(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        await prompt.fill("for the second")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await expect(page.locator(".row-link[aria-current]")).to_contain_text(first)
            await prompt.fill("for the first")
            late.lose()
            again = page.get_by_role("button", name="Try again")
            await expect(again).to_be_visible()
        await shows(page, second)
        await expect(prompt).to_have_value("for the second")
        await again.click()
        await shows(page, first)
        await expect(prompt).to_have_value("for the first")


@nightly
async def test_nothing_is_done_to_the_chat_that_is_being_left(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        await page.click("#new-chat")
        await visit.ask("Count forever")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
            await page.press("#prompt", "Escape")
            await expect(page.locator("#thread")).to_have_js_property("inert", True)
            await visit.ask("For the first echo")
            late.release()
        await shows(page, first, 2)
        await expect(page.locator(PROSE)).to_contain_text("user: For the first echo")
        await click(page, "Count forever")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await page.get_by_role("button", name="Stop", exact=True).click()


async def test_a_question_and_its_files_stay_with_their_chat(address: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Some notes")
    async with visiting(address) as visit:
        page, prompt, chips = visit.page, visit.page.locator("#prompt"), visit.page.locator(CHIPS)
        first, second = await two_chats(visit)
        async with holding(page, "**/chat/attachments/?*", "POST") as reading:
            await page.set_input_files("#attach-file", notes)
            await expect(chips).to_contain_text("reading…")
            await visit.ask("What is in them? echo")
            await click(page, first)
            await shows(page, first)
            await expect(chips).to_have_count(0)
            await reading.arrived()
            reading.release()
            await expect(page.locator("#toast")).to_contain_text("Not sent, since another chat was opened")
        await shows(page, first)
        await expect(prompt).to_have_value("")
        await click(page, second)
        await shows(page, second)
        await expect(prompt).to_have_value("What is in them? echo")
        await expect(chips).to_contain_text("notes.txt")
        await expect(chips).to_contain_text("tokens")
        await page.reload()
        await expect(chips).to_contain_text("notes.txt")
        await prompt.press("Enter")
        await expect(page.locator(PROSE)).to_contain_text("Some notes")
        assert await questions(page) == [second, "What is in them? echo"]


@nightly
async def test_files_that_come_while_a_chat_loads_or_another_one_is_asked_belong_to_it(
    address: str, tmp_path: Path
) -> None:
    one, two = (tmp_path / f"{name}.txt" for name in ("one", "two"))
    one.write_text("One")
    two.write_text("Two")
    async with visiting(address) as visit:
        page, chips = visit.page, visit.page.locator(CHIPS)
        first, second = await two_chats(visit)
        async with holding(page, OPENED) as late:
            await click(page, first)
            await late.arrived()
            await page.set_input_files("#attach-file", one)
            await expect(chips).to_contain_text("one.txt")
            late.release()
        await shows(page, first)
        await expect(chips).to_contain_text("one.txt")
        await click(page, second)
        await shows(page, second)
        await expect(chips).to_have_count(0)
        await click(page, first)
        async with holding(page, "**/chat/ask/", "POST") as asked:
            await shows(page, first)
            await visit.ask("About one echo")
            await asked.arrived()
            await click(page, second)
            await shows(page, second)
            await page.set_input_files("#attach-file", two)
            await expect(chips).to_have_count(1)
            asked.release()
        await expect(chips).to_contain_text("two.txt")
        await click(page, first)
        await shows(page, first, 2)
        await expect(chips).to_have_count(0)
        await expect(page.locator(PROSE)).to_contain_text("One")


@nightly
async def test_a_file_that_is_removed_while_it_is_read_is_not_kept(address: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Some notes")
    async with visiting(address) as visit:
        page = visit.page
        async with holding(page, "**/chat/attachments/?*", "POST") as reading:
            await page.set_input_files("#attach-file", notes)
            await reading.arrived()
            await page.get_by_role("button", name="Remove notes.txt").click()
            await expect(page.locator(CHIPS)).to_have_count(0)
            async with page.expect_request(lambda request: request.method == "DELETE"):
                reading.release()
        await expect(page.locator(CHIPS)).to_have_count(0)


@nightly
async def test_windows_of_one_chat_have_the_same_files(address: str, tmp_path: Path) -> None:
    one, two = (tmp_path / f"{name}.txt" for name in ("one", "two"))
    one.write_text("One")
    two.write_text("Two")
    async with visiting(address) as visit:
        page, chips = visit.page, visit.page.locator(CHIPS)
        await visit.ask("Shared echo")
        await ended(page)
        other = await page.context.new_page()
        await other.goto(page.url)
        await other.set_input_files("#attach-file", one)
        await expect(chips).to_contain_text("one.txt")
        await page.set_input_files("#attach-file", two)
        await expect(other.locator(CHIPS)).to_have_count(2)
        await page.reload()
        await expect(chips).to_have_count(2)
        await visit.ask("With both echo")
        await expect(page.locator(PROSE)).to_contain_text("Two")
        await expect(other.locator(CHIPS)).to_have_count(0)


@nightly
async def test_other_chats_can_be_asked_while_a_question_is_being_sent(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        first, second = await two_chats(visit)
        async with holding(page, "**/chat/ask/", "POST") as asked:
            await visit.ask("Again echo")
            await asked.arrived()
            await prompt.fill("and then this")
            asked.is_on = False
            await click(page, first)
            await shows(page, first)
            await visit.ask("Again echo")
            await shows(page, first, 2)
            await prompt.fill("for the first")
            asked.release()
        await ended(page)
        await shows(page, first, 2)
        await expect(prompt).to_have_value("for the first")
        await click(page, second)
        await shows(page, second, 2)
        await expect(prompt).to_have_value("and then this")
        assert await questions(page) == [second, "Again echo"]


@nightly
async def test_a_question_that_hangs_is_taken_back_by_stop_and_is_asked_once(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await page.route_web_socket(re.compile("/ws/chats/"), lambda socket: None)  # connected, and silent
        await page.reload()
        async with holding(page, "**/chat/ask/", "POST") as asked:
            await visit.ask("Patient echo")
            await asked.arrived()
            await page.get_by_role("button", name="Stop", exact=True).click()
            await expect(prompt).to_have_value("Patient echo")
            asked.release()
        await prompt.press("Enter")
        await expect(page.locator(PROSE)).to_contain_text("user: Patient echo")
        await ended(page)
        assert await questions(page) == ["Patient echo"]


async def test_an_edited_answer_is_saved_once_and_what_is_typed_meanwhile_is_not_lost(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Original echo")
        await ended(page)
        await choose(page.locator(ANSWER), "Edit")
        field = page.get_by_label("Edit the answer").locator("textarea")
        await field.fill("Better")
        async with holding(page, re.compile(r"/chat/messages/\d+/$"), "PATCH") as saving:
            await field.press("Control+Enter")
            await saving.arrived()
            await field.press_sequentially(" and more")
            await field.press("Control+Enter")
            await field.press("Escape")
            await expect(field).to_have_value("Better")
            await expect(field).to_have_js_property("readOnly", True)
            saving.release()
            await expect(field).to_have_count(0)
            assert saving.count == 1
        await expect(page.locator(PROSE)).to_have_text("Better")
        assert visit.complaints == []


@nightly
async def test_an_edited_question_that_is_on_its_way_waits_for_its_answer_in_the_reopened_chat(
    address: str,
) -> None:
    async with visiting(address) as visit:
        page, field = visit.page, visit.page.get_by_label("Edit your question")
        first, second = await two_chats(visit)
        await page.get_by_label("Edit question").click()
        await field.fill("Changed echo")
        async with holding(page, "**/chat/ask/", "POST", acts_at_once=False) as asked:
            await field.press("Enter")
            await asked.arrived()
            await click(page, first)
            await shows(page, first)
            await click(page, second)
            await expect(field).to_have_js_property("readOnly", True)
            await field.press("Enter")
            asked.release()
            await expect(field).to_have_count(0)
            assert asked.count == 1
        whole = await page.evaluate(CHAT_OF_PAGE)
        assert len([one for one in whole["messages"] if one["role"] == "user"]) == 2


async def test_what_is_clicked_twice_is_done_once(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Twice echo")
        await ended(page)
        answer = page.locator(ANSWER)
        async with holding(
            page, re.compile(r"/chat/messages/\d+/branch/"), "POST", acts_at_once=False
        ) as branching:
            await choose(answer, "Branch into a new chat")
            await branching.arrived()
            await choose(answer, "Branch into a new chat")
            await expect(page.locator("#waiting")).to_be_visible()
            branching.release()
            await expect(page.locator("#toast")).to_contain_text("This is a new chat, branched from")
            assert branching.count == 1
        await expect(page.locator("#waiting")).to_be_hidden()
        async with holding(
            page, re.compile(r"/chat/messages/\d+/$"), "DELETE", acts_at_once=False
        ) as deleting:
            await choose(answer, "Delete")
            await deleting.arrived()
            await choose(answer, "Delete")
            deleting.release()
            await expect(page.locator(ANSWER)).to_have_count(0)
            assert deleting.count == 1
        await expect(page.locator(".toast")).to_have_count(2)
        assert visit.complaints == []


@nightly
async def test_a_chat_is_deleted_and_restored_once(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        first, second = await two_chats(visit)
        row = page.locator(".row", has_text=first)
        async with holding(page, OPENED, "DELETE", acts_at_once=False) as deleting:
            await row.hover()
            for _ in range(2):
                await row.get_by_label(f"More about {first}").click()
                await page.get_by_role("menuitem", name="Delete", exact=True).click()
                await deleting.arrived()
            deleting.release()
            await expect(row).to_have_count(0)
            assert deleting.count == 1
        await expect(page.locator(".toast")).to_have_count(1)
        await page.click("#deleted-button")
        restore = page.get_by_role("button", name=f"Restore {first}")
        async with holding(page, re.compile("/restore/"), "POST", acts_at_once=False) as restoring:
            await restore.click()
            await restoring.arrived()
            await expect(restore).to_be_disabled()
            restoring.release()
            await expect(restore).to_have_count(0)
        await expect(page.locator("#deleted-problem")).to_be_empty()


@nightly
async def test_late_news_of_another_window_takes_nothing_back(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Seen echo")
        await ended(page)
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator(".message")).to_have_count(2)
        async with holding(page, OPENED) as late:
            await other.fill("#prompt", "Second turn echo")
            await other.press("#prompt", "Enter")
            await late.arrived()
            await expect(other.locator(".message")).to_have_count(4)
            await ended(other)
            await choose(page.locator(ANSWER).first, "Edit")
            field = page.get_by_label("Edit the answer").locator("textarea")
            await field.fill("Edited here")
            await field.press("Control+Enter")
            await expect(field).to_have_count(0)
            await other.fill("#prompt", "Third turn echo")
            await other.press("#prompt", "Enter")
            await ended(other)
            late.is_on = False
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            late.release()
        await expect(page.locator(".message.is-user")).to_have_count(3)
        await expect(page.locator(".message.is-assistant").first.locator("> .prose")).to_have_text(
            "Edited here"
        )

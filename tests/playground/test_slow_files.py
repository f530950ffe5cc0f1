"""A slow server: files stay with the chat and the question that they were added to."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.imports import exports
from tests.playground.site import visiting
from tests.playground.slow_site import OPENED, PROSE, click, ended, holding, questions, shows, two_chats

pytestmark = pytest.mark.browser
CHIPS = "#attachments .chip"


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
async def test_an_import_that_was_left_opens_nothing(address: str, tmp_path: Path) -> None:
    theirs = tmp_path / "conversations.json"
    theirs.write_text(json.dumps([exports.chatgpt(title="Tea of July", conversation_id="c-july")]))
    async with visiting(address) as visit:
        page = visit.page
        async with holding(page, re.compile(r"/chat/uploads/.*/import/"), "POST") as importing:
            await page.set_input_files("#import-file", theirs)
            await importing.arrived()
            await page.get_by_role("button", name="Continue in the background").click()
            await page.fill("#prompt", "a thought meanwhile")
            importing.release()
            await expect(page.locator("#toast")).to_contain_text("“Tea of July” was imported.")
        assert page.url == visit.address
        await expect(page.locator("#prompt")).to_have_value("a thought meanwhile")
        await page.locator("#toast").get_by_role("button", name="Open").click()
        await shows(page, "What is tea?", 1, "Tea of July")

"""Files in the browser: attached to questions, imported with a report, exported; and long questions."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.nightly import nightly
from tests.playground.file_text import files
from tests.playground.imports import exports
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
QUESTION = ".message.is-user"
FILL = """(field, text) => {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}"""
ANSWER = ".message.is-assistant:last-child"
DROP = """([types, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  for (const type of types) document.querySelector("#prompt").dispatchEvent(
    new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
PASTE = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  document.querySelector("#prompt").dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


async def height(part: Locator) -> float:
    box = await part.bounding_box()
    return box["height"] if box else 0


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


async def test_files_are_chips_until_they_are_sent_and_folded_afterwards(
    address: str, tmp_path: Path
) -> None:
    notes, paper, picture = tmp_path / "notes.txt", tmp_path / "paper.pdf", tmp_path / "dot.png"
    notes.write_bytes("Grüße aus Köln".encode("latin-1"))
    paper.write_bytes(files.pdf("A page about tea"))
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0")
    async with visiting(address) as visit:
        page, chips = visit.page, visit.page.get_by_role("list", name="Attached files")
        await page.set_input_files("#attach-file", [notes, paper, picture])
        await expect(chips.get_by_role("listitem")).to_have_count(3)
        await expect(chips).to_contain_text("It will not be sent. It is damaged: the file is cut off.")
        await expect(chips.get_by_role("listitem").nth(1)).to_contain_text(re.compile(r"\b4 tokens"))
        await page.get_by_role("button", name="Remove dot.png").click()
        await page.evaluate(DROP, [["dragenter"], "later.md", "x"])
        await expect(page.get_by_text("Drop files here")).to_be_visible()
        await page.evaluate(DROP, [["dragover", "drop"], "later.md", "# Later"])
        await page.evaluate(PASTE, ["pasted.txt", "Pasted text"])
        await expect(page.get_by_text("Drop files here")).to_be_hidden()
        await expect(chips.get_by_text("reading…")).to_have_count(0)
        await page.reload()
        await expect(chips.get_by_role("listitem")).to_have_count(4)  # also after a reload
        await page.get_by_role("button", name="Remove pasted.txt").click()
        await page.press("#prompt", "Enter")
        await expect(page.locator("#toast")).to_contain_text("Write a question about the files.")
        await visit.ask("Please echo")
        await ended(page)
        answer = page.locator(f"{ANSWER} > .prose")
        for text in ("Grüße aus Köln", "A page about tea", "Later", "Please echo"):
            await expect(answer).to_contain_text(text)
        await expect(chips).to_be_hidden()
        bubble = page.locator(QUESTION)
        await expect(bubble.locator(".prose")).to_have_text("Please echo")
        await bubble.get_by_text("notes.txt").click()
        await expect(bubble.get_by_label("Text of notes.txt")).to_have_text("Grüße aus Köln")
        async with page.expect_download() as download:
            await bubble.locator(".file", has_text="notes.txt").get_by_text("Download").click()
        await (await download.value).save_as(tmp_path / "saved.txt")
        assert (tmp_path / "saved.txt").read_text() == "Grüße aus Köln"
        assert visit.elsewhere == []


@nightly
async def test_files_without_text_are_told_before_sending_and_block_no_others(
    address: str, tmp_path: Path
) -> None:
    notes, scan, empty, blank = (
        tmp_path / name for name in ("notes.txt", "scan.pdf", "empty.txt", "blank.md")
    )
    notes.write_text("Some notes")
    scan.write_bytes(files.pdf("", ""))
    empty.touch()
    blank.write_text(" \n\n")
    async with visiting(address) as visit:
        page, chips = visit.page, visit.page.get_by_role("list", name="Attached files")
        await page.set_input_files("#attach-file", [scan, notes, empty, blank])
        told = {
            "scan.pdf": "It will not be sent. It has no text; its pages may be scanned pictures.",
            "empty.txt": "It will not be sent. It is empty.",
            "blank.md": "It will not be sent. It is empty.",
        }
        for name, text in told.items():
            await expect(chips.get_by_role("listitem").filter(has_text=name)).to_contain_text(text)
        await visit.ask("Please echo")
        await ended(page)
        await expect(page.locator(f"{ANSWER} > .prose")).to_contain_text("Some notes")
        await expect(page.locator(QUESTION).locator(".file")).to_have_count(1)
        toast = page.locator("#toast")
        await expect(toast).to_contain_text("The question was sent without scan.pdf. It has no text")
        await expect(chips).to_be_hidden()


@nightly
async def test_files_are_added_and_removed_while_a_question_is_edited(address: str, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.txt" for name in ("first", "second", "third"))
    for file in (first, second, third):
        file.write_text(f"The {file.stem} file")
    async with visiting(address) as visit:
        page, field = visit.page, visit.page.get_by_label("Edit your question")
        await page.set_input_files("#attach-file", first)
        await visit.ask("Please echo")
        await ended(page)
        await page.get_by_label("Edit question").click()
        chips = page.get_by_role("list", name="Files of the edited question")
        await page.get_by_label("More files").set_input_files([second, third])
        await expect(chips.get_by_text("tokens")).to_have_count(2)
        await page.evaluate(DROP, [["dragenter", "drop"], "dropped.md", "A dropped file"])
        await expect(chips.get_by_role("listitem")).to_have_count(4)  # for the focus is in the form
        await expect(chips.get_by_text("tokens")).to_have_count(3)
        await chips.get_by_role("button", name="Remove first.txt").click()
        await chips.get_by_role("button", name="Remove third.txt").click()
        await page.reload()
        await expect(chips.get_by_role("listitem")).to_have_count(2)
        await field.press("Escape")
        await expect(page.locator(QUESTION).get_by_text("first.txt")).to_be_visible()
        await page.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(chips.get_by_role("listitem")).to_have_count(2)
        await field.press("Enter")
        await expect(page.get_by_text("2 of 2")).to_be_visible()
        await ended(page)
        answer = page.locator(f"{ANSWER} > .prose")
        for text, count in {"The second file": 1, "A dropped file": 1, "The first file": 0}.items():
            await expect(answer.get_by_text(text)).to_have_count(count)
        await page.get_by_label("Edit question").click()
        await expect(chips.get_by_role("listitem")).to_have_count(2)  # the new version's own
        assert visit.complaints == []


async def test_a_question_that_is_too_long_is_told_before_it_is_sent(address: str, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("word " * 30_000)
    async with visiting(address) as visit:
        await visit.page.set_input_files("#attach-file", file)
        await visit.page.fill("#prompt", "Summarise")
        await expect(visit.page.locator("#gauge")).to_have_text(
            re.compile(r"^about 37,50\d of 8,192 tokens$")
        )
        await expect(visit.page.locator("#gauge-warning")).to_contain_text("longer than scripted-model reads")
        await visit.page.get_by_role("button", name="Remove long.txt").click()
        await expect(visit.page.locator("#gauge-warning")).to_be_empty()


@nightly
async def test_what_is_surely_too_long_is_not_sent_and_files_of_an_edited_question_can_go(
    address: str, tmp_path: Path
) -> None:
    long, short = tmp_path / "long.txt", tmp_path / "short.txt"
    long.write_text("word " * 30_000)
    short.write_text("A short file")
    async with visiting(address) as visit:
        page, messages = visit.page, visit.page.locator(".message")
        await page.set_input_files("#attach-file", [long, short])
        await expect(page.locator("#gauge")).to_contain_text("about 37,5")
        counts = {"**/tokens/?*": '{"tokens": 30000}', "**/v1/tokenize": '{"count": 2}'}
        for pattern, body in counts.items():
            await page.route(pattern, lambda route, _, body=body: route.fulfill(body=body))
        await page.reload()
        await visit.ask("To be refused")
        await expect(page.locator("#toast")).to_contain_text("Not sent. This is longer than scripted-model")
        await expect(page.locator("#prompt")).to_have_value("To be refused")
        await expect(messages).to_have_count(0)
        for pattern in counts:
            await page.unroute(pattern)
        await page.reload()  # what nobody could count is for the model to refuse
        await page.press("#prompt", "Enter")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "failed")
        await page.get_by_label("Edit question").click()
        files = page.get_by_role("list", name="Files of the edited question")
        await expect(page.get_by_role("group", name="Attached files")).to_be_hidden()
        await files.get_by_role("button", name="Remove long.txt").click()
        await expect(page.get_by_label("Edit your question")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator(QUESTION).get_by_text("long.txt")).to_be_visible()  # nothing has changed
        await page.get_by_label("Edit question").click()
        await files.get_by_role("button", name="Remove long.txt").click()
        await page.get_by_label("Edit your question").fill("Please echo")
        await page.get_by_label("Edit your question").press("Enter")
        await expect(page.get_by_text("2 of 2")).to_be_visible()
        await expect(page.locator(QUESTION).locator(".file")).to_have_count(1)
        await ended(page)
        await expect(page.locator(f"{ANSWER} > .prose")).to_contain_text("A short file")
        await expect(page.locator(f"{ANSWER} > .prose")).not_to_contain_text("word word")
        assert visit.elsewhere == []


@nightly
async def test_a_long_question_is_folded(address: str) -> None:
    async with visiting(address) as visit:
        page, long = visit.page, "many words " * 20_000
        await page.locator("#prompt").evaluate(FILL, long)
        await page.press("#prompt", "Enter")
        bubble = page.locator(f"{QUESTION} .prose")
        more = page.get_by_role("button", name="Show more")
        await expect(more).to_be_visible()
        heights = [await height(bubble)]
        await more.click()
        heights.append(await height(bubble))
        await page.get_by_role("button", name="Show less").click()
        heights.append(await height(bubble))
        assert heights[0] == heights[2] < 400 and heights[1] > 5000
        await page.get_by_role("button", name=re.compile("^Edit")).first.evaluate(
            "(button) => button.click()"
        )
        field = page.get_by_label("Edit your question")
        assert 0 < await height(field) < 500
        await expect(more).to_be_hidden()


@nightly
async def test_chats_of_others_are_imported_with_a_report_and_exported(address: str, tmp_path: Path) -> None:
    theirs, odd = tmp_path / "conversations.json", tmp_path / "odd.json"
    theirs.write_text(json.dumps([exports.chatgpt(title="Tea of June"), {"a": 1}, exports.librechat()]))
    odd.write_text("{}")
    async with visiting(address) as visit:
        page = visit.page
        await page.set_input_files("#import-file", theirs)
        report = page.get_by_role("dialog", name="The import is done")
        await expect(report).to_contain_text("2 chats were imported. 1 chat could not be imported.")
        await expect(report).to_contain_text("Chat 2 of the file")
        await report.get_by_role("button", name="Close").click()
        row = page.locator(".row-link", has_text="Tea of June")
        await expect(row).to_be_visible()
        await row.click()
        await expect(page.locator(f"{ANSWER} > .prose")).to_have_text("A drink.")
        await page.set_input_files("#import-file", theirs)
        await expect(report).to_contain_text("2 chats were here already.")
        await report.get_by_role("button", name="Close").click()
        await page.set_input_files("#import-file", odd)
        await expect(page.locator("#toast")).to_contain_text("not an exported conversation. Exports of")
        await page.get_by_role("button", name="Export all chats").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name="Export all as JSON").click()
        everything = tmp_path / "all.json"
        await (await download.value).save_as(everything)
        titles = [chat["title"] for chat in json.loads(everything.read_text())["conversations"]]
        assert {"Tea of June", "Colours"} <= set(titles)
        await page.get_by_role("button", name="Export all chats").click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name=re.compile("Markdown")).click()
        assert zipfile.ZipFile(await (await download.value).path()).testzip() is None

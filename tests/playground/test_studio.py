"""The studio in Chromium: branches, the list, other tabs, replays, and how answers were made."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, expect

from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


@nightly
async def test_another_take_stands_beside_the_first(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Please echo")
        await ended(visit.page)
        first = await visit.page.locator(PROSE).inner_text()
        await visit.page.get_by_label("Regenerate").click()
        place = visit.page.locator(f"{ANSWER} .takes-place")
        await expect(place).to_have_text("2 of 2")
        await ended(visit.page)
        assert await visit.page.locator(PROSE).inner_text() != first  # it drew with another seed
        await visit.page.locator(ANSWER).get_by_label("Previous version").click()
        await expect(visit.page.locator(PROSE)).to_have_text(first)
        await visit.page.reload()
        await expect(place).to_have_text("1 of 2")
        await expect(visit.page.locator(".message")).to_have_count(2)


async def test_an_edited_question_keeps_the_old_branch(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("First echo")
        await ended(visit.page)
        await visit.ask("Second echo")
        await expect(visit.page.locator(PROSE)).to_contain_text("user: Second echo")
        await ended(visit.page)
        await visit.page.locator("#prompt").press("ArrowUp")
        field = visit.page.get_by_label("Edit your question")
        await expect(field).to_have_value("Second echo")
        await field.fill("Other echo")
        await field.press("Enter")
        await expect(visit.page.locator(PROSE)).to_contain_text("user: Other echo")
        await expect(visit.page.locator(".message")).to_have_count(4)
        question = visit.page.locator(".message.is-user").last
        await question.get_by_label("Previous version").click()
        await expect(visit.page.locator(PROSE)).to_contain_text("user: Second echo")


@nightly
async def test_a_replay_with_the_same_seed_says_what_differs(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Please echo")
        await ended(visit.page)
        first = await visit.page.locator(PROSE).inner_text()
        await choose(visit.page.locator(ANSWER), "Replay with the same seed")
        await expect(visit.page.locator(".replayed")).to_have_text("The same answer, word for word.")
        await expect(visit.page.locator(PROSE)).to_have_text(first)


@nightly
async def test_an_answer_shows_how_it_was_made(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#settings-button")
        await visit.page.get_by_label("Temperature").fill("0.3")
        await visit.page.keyboard.press("Escape")
        await visit.ask("Please echo")
        await ended(visit.page)
        await choose(visit.page.locator(ANSWER), "Details")
        made = visit.page.locator(".made dl")
        await expect(made).to_contain_text("scripted-model")
        await expect(made).to_contain_text(re.compile(r"temperature\s*0\.3"))
        await expect(made).to_contain_text(re.compile(r"seed\s*\d+"))
        await expect(made).to_contain_text("1,200 tokens, 0 of them cached")


@nightly
async def test_another_tab_sees_the_answer_grow_and_can_stop_it(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Talk forever")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        other = await visit.page.context.new_page()
        await other.goto(visit.page.url)
        await expect(other.locator(PROSE)).to_contain_text("calm way")
        await other.click("#send")
        for page in (other, visit.page):
            await expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")
        await expect(visit.page.get_by_label("Send", exact=True)).to_be_visible()


@nightly
async def test_leaving_for_another_conversation_lets_the_answer_go_on(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("How does one list primes, told in the background?")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await visit.page.click("#new-chat")
        await visit.ask("Please echo")
        await ended(visit.page)
        await visit.page.get_by_role("link", name="told in the background").first.click()
        await expect(visit.page.locator(PROSE)).to_contain_text(
            "More about it is on Wikipedia.", timeout=20_000
        )


async def test_the_list_is_searched_renamed_pinned_and_undone(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("An echo about quincunxes, please echo")
        await ended(page)
        await page.click("#new-chat")
        await visit.ask("Something else, please echo")
        await ended(page)
        await page.keyboard.press("Control+k")
        await page.keyboard.type("quincunx")
        rows = page.locator(".row-link")
        await expect(rows).to_have_count(1)
        await page.locator(".row").hover()
        saved: list[Request] = []
        page.on("request", lambda one: saved.append(one) if one.method == "PATCH" else None)
        for title, key in (("Nothing", "Escape"), ("Five points", "Enter")):
            await page.get_by_label(re.compile("More about An echo")).click()
            await page.get_by_role("menuitem", name="Rename").click()
            await page.get_by_label("Title").fill(title)
            await page.keyboard.press(key)
            await expect(page.get_by_label("Title")).to_have_count(0)
            await expect(rows).to_be_focused()
        await expect(rows).to_have_text("Five points")
        assert [one.post_data_json for one in saved] == [{"title": "Five points"}]
        await page.get_by_label("More about Five points").click()
        await page.get_by_role("menuitem", name="Pin", exact=True).click()
        await expect(page.locator(".group")).to_have_text("Pinned")
        await page.get_by_label("More about Five points").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await expect(page.locator(".conversations")).to_contain_text("No results.")
        await page.get_by_role("button", name="Undo").last.click()
        await expect(rows).to_have_text("Five points")
        await page.get_by_label("More about Five points").click()
        await page.get_by_role("menuitem", name="Unpin").click()


@nightly
async def test_a_conversation_is_exported_and_imported(address: str, tmp_path: Path) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Export this, please echo")
        await ended(page)
        text = await page.locator(PROSE).inner_text()
        await page.locator(".unfiled .row").first.hover()
        await page.get_by_label(re.compile("More about Export this")).first.click()
        async with page.expect_download() as download:
            await page.get_by_role("menuitem", name="Export as JSON").click()
        file = tmp_path / "taken.json"
        await (await download.value).save_as(file)
        assert json.loads(file.read_text())["messages"][1]["content"] in text
        before = page.url
        await page.set_input_files("#import-file", file)
        await page.wait_for_url(lambda url: url != before)
        await expect(page.locator(PROSE)).to_have_text(text)
        await page.set_input_files("#import-file", Path(__file__))
        await expect(page.locator("#toast")).to_contain_text("not an exported conversation")


@nightly
async def test_a_refused_question_comes_back(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.context.set_offline(True)
        await visit.ask("Are you there?")
        await expect(visit.page.locator("#toast")).to_contain_text("The server cannot be reached")
        await expect(visit.page.locator("#prompt")).to_have_value("Are you there?")


async def test_a_lost_connection_is_picked_up(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("How does one list primes?")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await visit.page.context.set_offline(True)
        await visit.page.context.set_offline(False)
        await expect(visit.page.locator(PROSE)).to_contain_text(
            "More about it is on Wikipedia.", timeout=20_000
        )
        await ended(visit.page)


@nightly
async def test_the_keys_are_listed(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.locator("#thread").evaluate("() => document.activeElement.blur()")
        await visit.page.keyboard.press("?")
        await expect(visit.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        await visit.page.keyboard.press("Escape")
        await visit.page.keyboard.press("Control+b")
        await expect(visit.page.locator("#sidebar")).to_be_hidden()


async def test_a_prompt_is_saved_and_used_again(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#settings-button")
        system = visit.page.get_by_role("textbox", name="System prompt")
        await system.fill("Speak like a pirate.")
        await visit.page.get_by_text("Saved prompts").click()
        await visit.page.get_by_label("Name").fill("Pirate")
        await visit.page.get_by_role("button", name="Save prompt").click()
        await system.fill("")
        await visit.page.get_by_role("button", name="Use Pirate").click()
        await visit.page.keyboard.press("Escape")
        await visit.ask("Please echo")
        await expect(visit.page.locator(PROSE)).to_contain_text("system: Speak like a pirate.")


async def test_models_are_asked_side_by_side(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.get_by_role("button", name="Compare models…").click()
        for model in ("scripted-model", "mlx-community/Qwen3-8B-4bit"):
            await page.get_by_role("checkbox", name=model, exact=True).check()
        await page.get_by_role("button", name="Compare", exact=True).click()
        await expect(page.locator(".picker-name")).to_have_text("2 models side by side")
        await visit.ask("Please echo")
        await expect(page.locator("#toast")).to_contain_text("They answer at the same time")
        columns = page.locator(".columns > .message")
        await expect(columns).to_have_count(2)
        for column in await columns.all():
            await expect(column).to_have_attribute("data-status", "done", timeout=20_000)
        names = await columns.locator(".by").all_inner_texts()
        assert names == ["scripted-model", "mlx-community/Qwen3-8B-4bit"]
        await columns.first.get_by_label("Side by side").click()
        await expect(page.locator(".columns")).to_have_count(0)
        await expect(page.locator(f"{ANSWER} .takes-place")).to_have_text("2 of 2")


@nightly
async def test_a_shared_conversation_can_be_read_and_not_changed(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await visit.ask("Share this, please echo")
        await ended(page)
        text = await page.locator(PROSE).inner_text()
        await page.locator(".unfiled .row").first.hover()
        await page.get_by_label(re.compile("More about Share this")).first.click()
        await page.get_by_role("menuitem", name="Share with users of this site").click()
        await expect(page.locator("#toast")).to_contain_text("The link was copied")
        link = await page.evaluate("navigator.clipboard.readText()")
        other = await page.context.new_page()
        await other.goto(link)
        await expect(other.locator(PROSE)).to_have_text(text)
        await expect(other.locator("#prompt")).to_be_hidden()
        await expect(other.get_by_label("Regenerate")).to_be_hidden()
        await other.get_by_role("button", name="Continue in my own chat").click()
        await expect(other.locator(PROSE)).to_have_text(text)
        await expect(other.locator("#prompt")).to_be_focused()
        await other.goto(link)
        await page.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(page.locator("#toast")).to_contain_text("no longer shared")
        await page.get_by_label(re.compile("More about Share this")).last.click()
        await page.get_by_role("menuitem", name="Share with users of this site").click()
        await expect(page.locator("#toast").get_by_role("button", name="Undo").last).to_be_visible()
        await page.get_by_label(re.compile("More about Share this")).last.click()
        await page.get_by_role("menuitem", name="Stop sharing").click()
        await other.reload()
        await expect(other.locator("#toast")).to_contain_text("stopped sharing it")


@nightly
async def test_a_conversation_opens_with_the_model_that_answered_it(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#picker-button")
        await page.locator(".option").filter(has_text="Qwen3-8B").click()
        await visit.ask("Which model, please echo")
        await ended(page)
        await choose(page.locator(ANSWER), "Details")
        await expect(page.locator(".made dl")).to_contain_text(re.compile(r"adapter\s*fake"))
        await page.click("#new-chat")
        await page.click("#picker-button")
        await page.locator(".option").filter(has_text="scripted-model").click()
        await page.get_by_role("link", name="Which model").first.click()
        await expect(page.locator(".picker-name")).to_have_text("mlx-community/Qwen3-8B-4bit")

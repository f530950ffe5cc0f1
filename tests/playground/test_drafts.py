"""No word is lost: each chat keeps its text, and each form closes only after the server's yes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from tests.nightly import nightly
from tests.playground.site import Visit, visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"


async def ended(page: Page) -> None:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


@asynccontextmanager
async def failing(page: Page, *answers: tuple[int, str] | None) -> AsyncIterator[None]:
    """While the block runs, questions fail with these answers in turn; None drops the connection."""
    rest = list(answers)

    async def fail(route: Route) -> None:
        answer = rest.pop(0) if rest else None
        if answer is None:
            await route.abort()
        else:
            status, message = answer
            body = {"error": {"message": message, "code": "any"}}
            await route.fulfill(status=status, json=body)

    await page.route("**/chat/ask/", fail)
    yield
    await page.unroute("**/chat/ask/")


FAILURES = (None, (400, "No such model."), (503, "The server is busy."), (507, "The disk is full."))


async def open_chat(visit: Visit, title: str) -> None:
    await visit.page.locator(".row-link", has_text=title).click()
    await expect(visit.page.locator(".message.is-user").first).to_contain_text(title)


async def test_each_chat_keeps_its_own_text_through_reloads_and_other_windows(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await visit.ask("Alder echo")
        await ended(page)
        await prompt.fill("for the alder")
        await page.click("#new-chat")
        await expect(prompt).to_have_value("")
        await prompt.fill("for nobody yet")
        await page.reload()
        await expect(prompt).to_have_value("for nobody yet")
        await open_chat(visit, "Alder echo")
        await expect(prompt).to_have_value("for the alder")
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator("#prompt")).to_have_value("for the alder")
        await other.locator("#prompt").press_sequentially(", and more")
        await expect(prompt).to_have_value("for the alder, and more")
        await other.locator("#prompt").fill("something else")
        await other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.reload()  # what was typed here stays here
        await expect(prompt).to_have_value("for the alder, and more")
        await page.go_back()
        await expect(prompt).to_have_value("for nobody yet")


@nightly
async def test_a_text_is_cleared_once_the_server_has_taken_it(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        for failure in FAILURES:
            async with failing(page, failure):
                await visit.ask("Not yet echo")
                await expect(page.locator("#toast")).to_be_visible()
                await expect(prompt).to_have_value("Not yet echo")
        await page.reload()
        await expect(prompt).to_have_value("Not yet echo")
        await prompt.press("Enter")
        await ended(page)
        await expect(prompt).to_have_value("")
        await page.reload()
        await expect(page.locator(PROSE)).to_contain_text("Not yet echo")
        await expect(prompt).to_have_value("")
        await page.click("#new-chat")
        await expect(prompt).to_have_value("")


@nightly
async def test_a_page_that_ends_while_it_sends_keeps_the_text(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await page.route("**/chat/ask/", lambda route: None)  # no answer ever comes
        await visit.ask("On its way")
        await expect(prompt).to_have_value("")
        await prompt.press_sequentially("and after it")
        await page.reload()
        await expect(prompt).to_have_value("On its way\n\nand after it")


@nightly
async def test_a_question_whose_response_is_lost_is_asked_once(address: str) -> None:
    async with visiting(address) as visit:
        page, prompt = visit.page, visit.page.locator("#prompt")
        await page.route_web_socket(re.compile("/ws/chats/"), lambda socket: None)  # connected, and silent
        await page.reload()

        async def lose(route: Route) -> None:
            await route.fetch()
            await route.abort()

        async def send_and_lose(question: str) -> None:
            await page.route("**/chat/ask/", lose)
            await visit.ask(question)
            await expect(prompt).to_have_value(question)

        for question in ("Solitary echo", "Twice echo"):
            await send_and_lose(question)
            await page.unroute("**/chat/ask/")
            await prompt.press("Enter")
            await expect(page.locator(PROSE)).to_contain_text(question)
            await ended(page)
            await expect(prompt).to_have_value("")
        await send_and_lose("Thrice echo")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the page looks again
        await expect(page.locator(PROSE)).to_contain_text("user: Thrice echo")
        await expect(prompt).to_have_value("")
        whole = await page.evaluate(
            "fetch(`/chat/conversations/${location.pathname.slice(3)}/`).then((r) => r.json())"
        )
        assert [one["content"] for one in whole["messages"] if one["role"] == "user"] == [
            "Solitary echo",
            "Twice echo",
            "Thrice echo",
        ]
        listed = await page.evaluate("fetch('/chat/conversations/?words=Solitary').then((r) => r.json())")
        assert len(listed["conversations"]) == 1


@nightly
async def test_an_edited_question_closes_only_after_the_servers_yes(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("First echo")
        await ended(page)
        await page.get_by_label("Edit question").click()
        field = page.get_by_label("Edit your question")
        await field.fill("Better echo")
        for failure in FAILURES:
            async with failing(page, failure):
                await field.press("Enter")
                await expect(page.get_by_text("This was not sent. Your text is kept here.")).to_be_visible()
                await expect(field).to_have_value("Better echo")
        await page.reload()
        await expect(field).to_have_value("Better echo")
        await page.locator(".edit").get_by_role("button", name="Send").click()
        await expect(page.locator(PROSE)).to_contain_text("user: Better echo")
        await expect(field).to_have_count(0)
        await ended(page)
        await page.reload()
        await expect(page.locator(PROSE)).to_contain_text("user: Better echo")
        await expect(field).to_have_count(0)
        await page.get_by_label("Edit question").click()
        await field.fill("Thrown away")
        await field.press("Escape")
        await page.get_by_role("button", name="Undo").last.click()
        await expect(field).to_have_value("Thrown away")


@nightly
async def test_a_corrected_result_is_sent_and_not_the_one_that_failed(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.click("#settings-button")
        await page.evaluate(
            "document.querySelectorAll('#settings-panel details').forEach((one) => { one.open = true; })"
        )
        await page.get_by_label("Functions the model may call").fill(json.dumps([{"name": "weather"}]))
        await page.keyboard.press("Escape")
        await visit.ask("How is Rome?")
        field = page.get_by_label("Result of weather")
        await field.fill("Rain echo")
        async with failing(page, None):
            await page.get_by_role("button", name="Send results").click()
            await expect(page.locator("#toast")).to_be_visible()
        await expect(field).to_have_value("Rain echo")
        await page.reload()
        await expect(field).to_have_value("Rain echo")
        await field.fill("Sunny echo")
        await page.get_by_role("button", name="Send results").click()
        await expect(page.locator(".call-result")).to_have_text("Sunny echo")
        await expect(page.locator(PROSE)).to_contain_text("tool: Sunny echo")


@nightly
async def test_texts_are_kept_by_account_and_bounded_in_number_and_length(address: str) -> None:
    async with visiting(address) as visit:
        found = await visit.page.evaluate(
            """async () => {
              const { drafts } = await import("/static/playground/drafts.js");
              const isDraft = ([name]) => name.startsWith("mlxsite.draft.");
              const kept = () => Object.entries(localStorage).filter(isDraft);
              const keep = (key, text) => { drafts.write(key, text); drafts.flush(); };
              for (let n = 0; n < 100; n += 1) keep(`chat${n}`, `text ${n}`);
              const many = kept().length;
              const newest = drafts.read("chat99");
              for (let n = 0; n < 5; n += 1) keep(`long${n}`, "x".repeat(900_000));
              const length = kept().reduce((sum, [, record]) => sum + record.length, 0);
              drafts.write("longest", "y".repeat(2_000_000));
              const longest = drafts.read("longest").length;
              drafts.clear("longest");
              localStorage.setItem("mlxsite.draft.7.new", "1dof another account");
              return { many, newest, length, longest, own: drafts.read("new"), gone: drafts.read("longest") };
            }"""
        )
    assert found["many"] <= 60 and found["newest"] == "text 99" and found["longest"] == 1_000_000
    assert found["length"] <= 2_000_000 and (found["own"], found["gone"]) == ("", "")


async def test_what_is_written_and_sent_while_a_chat_loads_belongs_to_it(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Early echo")
        await ended(page)
        chat, gate = page.url, asyncio.Event()

        async def wait(route: Route) -> None:
            if route.request.method == "GET":
                await gate.wait()
            await route.continue_()

        await page.route(re.compile(r"/chat/conversations/[0-9a-f-]{36}/$"), wait)
        await page.reload()
        await visit.ask("Sent before it was loaded echo")
        await page.locator("#prompt").press_sequentially("and a draft")
        gate.set()
        await expect(page.locator(PROSE)).to_contain_text("user: Sent before it was loaded echo")
        await expect(page.locator(".message.is-user")).to_have_count(2)
        await expect(page.locator("#prompt")).to_have_value("and a draft")
        assert page.url == chat

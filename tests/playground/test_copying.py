"""What is copied, and what is printed, in Chromium."""

import pytest
from playwright.async_api import Page, expect

from tests.playground.scripts import MARKDOWN, MATH
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PERMISSIONS = ["clipboard-read", "clipboard-write"]


async def clipboard(page: Page) -> str:
    text: str = await page.evaluate("navigator.clipboard.readText()")
    return text


async def test_code_a_formula_and_an_answer_are_copied_as_they_were_written(address: str) -> None:
    async with visiting(address, permissions=PERMISSIONS) as visit:
        page = visit.page
        await visit.ask("How does one list primes?")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        await page.get_by_label("Copy code").click()
        code = MARKDOWN.split("```")[1].removeprefix("python\n").removesuffix("\n")
        assert await clipboard(page) == code
        await page.get_by_label("Copy answer").click()
        assert await clipboard(page) == MARKDOWN
        await visit.ask("Show me formulas")
        await expect(page.locator(f"{ANSWER} math")).to_have_count(5, timeout=20_000)
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        await page.evaluate(
            "name => getSelection().selectAllChildren(document.querySelector(name))", f"{ANSWER} > .prose"
        )
        await page.keyboard.press("ControlOrMeta+c")
        lines = (await clipboard(page)).split("\n")
        assert lines[0] == r"The sum is $\frac{a}{b} < 1$, that costs $5 or $6, and $x^2$ is inline:"
        assert r"$$\int_0^1 \sqrt{x}\,dx = \frac{2}{3}$$" in lines
        assert "$$E = mc^2$$" in lines
        await page.get_by_label("Copy answer").last.click()
        assert await clipboard(page) == MATH


async def test_a_question_is_markdown_and_the_whole_chat_is_printed(address: str) -> None:
    question = "**First** $x^2$\n\n```py\nx = 1\n```\n\n" + "line\n\n" * 60 + "Please echo"
    async with visiting(address, viewport={"width": 1000, "height": 500}) as visit:
        page = visit.page
        await visit.ask(question)
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        asked = page.locator(".message.is-user .prose")
        await expect(asked.locator("strong")).to_have_text("First")
        await expect(asked.locator("annotation")).to_have_text("x^2")
        await expect(asked.locator(".code pre")).to_have_text("x = 1")
        await page.emulate_media(media="print")
        for name in ("#sidebar", ".bar", "#composer", ".foot"):
            await expect(page.locator(name).first).to_be_hidden()
        for name in (".message.is-user", ANSWER):
            await expect(page.locator(name)).to_be_visible()
        clipped = await page.evaluate(
            """() => [...document.querySelectorAll("html, body, .shell, .app, .scroll, .code, .code pre")]
              .filter(node => getComputedStyle(node).overflowY !== "visible")
              .filter(node => node.scrollHeight > node.clientHeight + 1)
              .map(node => node.className)"""
        )
        assert clipped == []
        printed = await page.evaluate(
            "() => document.documentElement.scrollHeight >= document.querySelector('#thread').scrollHeight"
        )
        assert printed

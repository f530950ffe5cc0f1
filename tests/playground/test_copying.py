"""What is copied, and what is printed, in Chromium."""

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.scripts import MARKDOWN
from tests.playground.site import visiting
from tests.playground.test_markdown import GROW, OPEN

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PERMISSIONS = ["clipboard-read", "clipboard-write"]


async def clipboard(page: Page) -> str:
    text: str = await page.evaluate("navigator.clipboard.readText()")
    return text


async def test_a_selection_stays_while_an_answer_grows_and_ends_and_is_copied_as_it_was_written(
    address: str,
) -> None:
    async with visiting(address, permissions=PERMISSIONS, viewport={"width": 500, "height": 900}) as visit:
        page = visit.page
        await visit.ask("How does one list primes?")
        await page.wait_for_function(
            "name => { const pre = document.querySelector(`${name} .code pre`);"
            " return pre && pre.scrollWidth - pre.clientWidth >= 40; }",
            arg=ANSWER,
        )
        await page.evaluate(
            """name => {
              document.querySelector(`${name} pre`).scrollLeft = 40;
              getSelection().selectAllChildren(document.querySelector(`${name} > .prose > p`));
            }""",
            ANSWER,
        )
        assert await page.locator(ANSWER).get_attribute("data-status") == "streaming"
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        assert await page.locator(f"{ANSWER} pre").evaluate("node => node.scrollLeft") == 40
        selected = await page.evaluate("getSelection().toString()")
        assert selected == await page.locator(f"{ANSWER} > .prose > p").first.inner_text()
        await page.get_by_label("Copy code").click()
        assert await clipboard(page) == MARKDOWN.split("```")[1].removeprefix("python\n").removesuffix("\n")
        await page.get_by_label("Copy answer").click()
        assert await clipboard(page) == MARKDOWN


async def test_a_selected_formula_is_copied_as_tex(address: str) -> None:
    text = (
        r"The sum is $\frac{a}{b} < 1$, that costs $5 or $6, and \(x^2\) is inline:" + "\n\n$$\\sqrt{x}$$\n"
    )
    async with visiting(address, permissions=PERMISSIONS) as visit:
        await visit.page.evaluate(OPEN, text)
        await visit.page.evaluate(GROW, [text, True])
        await expect(visit.page.locator("#tried math")).to_have_count(3)
        whole = (
            r"The sum is $\frac{a}{b} < 1$, that costs $5 or $6, and $x^2$ is inline:" + "\n\n$$\\sqrt{x}$$"
        )
        for part, expected in (("#tried", whole), ("#tried mfrac", r"$\frac{a}{b} < 1$")):
            await visit.page.evaluate(
                "name => getSelection().selectAllChildren(document.querySelector(name))", part
            )
            await visit.page.keyboard.press("ControlOrMeta+c")
            assert (await clipboard(visit.page)).strip() == expected


@nightly
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

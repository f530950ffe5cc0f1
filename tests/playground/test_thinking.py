"""The thinking block: its time and last line while the model thinks, and its time afterwards."""

import re

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"


@nightly
async def test_it_counts_and_shows_its_last_line_and_keeps_its_time(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Think endlessly")
        summary = page.locator(f"{ANSWER} .reasoning summary")
        last_line = page.locator(".last-thought")
        await expect(summary).to_have_text(re.compile(r"^Thinking… \d+ s$"))
        await expect(last_line).to_contain_text("But what if?")
        await expect(summary).to_have_text("Thinking… 2 s")
        await page.reload()  # the time goes on, as the server counts it
        await expect(summary).to_have_text(re.compile(r"^Thinking… ([2-9]|\d\d) s$"))
        await summary.click()
        await expect(last_line).to_be_hidden()
        await expect(page.locator(f"{ANSWER} .reasoning .prose")).to_contain_text("But what if?")
        await page.get_by_role("button", name="Answer now").click()
        await expect(summary).to_have_text(re.compile(r"^Thought for \d+ s$"))
        await expect(last_line).to_be_hidden()
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        thought = await summary.inner_text()
        await page.reload()
        await expect(summary).to_have_text(thought)
        await expect(page.locator(f"{ANSWER} .reasoning")).not_to_have_attribute("open", "")

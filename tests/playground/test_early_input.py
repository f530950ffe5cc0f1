"""What is written before the panel's parts are loaded counts as it does later."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.nightly import of_each_kind
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
WRITTEN = [('{"type": "object"}', 'schema {"type": "object"}'), ("{", "not valid JSON"), (" ", "echo")]


@pytest.mark.parametrize(
    ("text", "wished"),
    of_each_kind(WRITTEN, [WRITTEN[0]]),
)
async def test_a_schema_that_is_written_before_the_panel_is_ready_is_chosen(
    address: str, text: str, wished: str
) -> None:
    async with visiting(address) as visit:
        page, written = visit.page, asyncio.Event()

        async def hold(route: Route) -> None:
            await written.wait()
            await route.continue_()

        await page.route("**/settings-contents.js", hold)
        await page.click("#settings-button")
        await page.get_by_text("Output format", exact=True).click()
        await page.get_by_label("JSON Schema").fill(text)
        written.set()
        if wished == "not valid JSON":
            await expect(page.locator("#set-schema-problem")).to_contain_text(wished)
        else:
            await visit.ask("Please echo")
            await expect(page.locator(".message.is-assistant > .prose")).to_contain_text(wished)
            chosen = "schema" if text.strip() else "text"
            await expect(page.get_by_label("Format", exact=True)).to_have_value(chosen)

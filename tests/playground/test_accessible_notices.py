"""axe finds nothing in what comes and goes: thoughts, notices, and the dialog of shortcuts."""

import pytest
from playwright.async_api import expect

from tests.nightly import nightly, of_each_kind
from tests.playground.site import visiting
from tests.playground.test_accessible import complaints
from tests.playground.test_toast import show

pytestmark = pytest.mark.browser


@nightly
@pytest.mark.parametrize("scheme", of_each_kind(["light", "dark"], ["dark"]))
async def test_thoughts_notices_and_shortcuts(address: str, scheme: str) -> None:
    view = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": {"width": 390, "height": 800}}
    async with visiting(address, **view) as visit:
        page = visit.page
        await visit.ask("Think endlessly")
        await expect(page.locator(".last-thought")).to_contain_text("But what if?")
        await show(page, "The chat was deleted.", "Undo")
        await show(page, "The server is back.")
        assert await complaints(page) == []
        await page.keyboard.press("Control+/")
        assert await complaints(page) == []
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.locator(".message").last).to_have_attribute("data-status", "stopped")

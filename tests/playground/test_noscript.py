"""The playground in a browser whose JavaScript is switched off."""

import pytest
from playwright.async_api import expect

from tests.playground.site import visiting

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1280])
async def test_one_notice_says_so_and_nothing_looks_as_if_it_worked(address: str, width: int) -> None:
    view = {"width": width, "height": 800}
    async with visiting(address, java_script_enabled=False, viewport=view) as visit:
        page = visit.page
        await expect(page.locator("h1 >> visible=true")).to_have_text("The playground needs JavaScript")
        notice = page.locator(".notice p", has_text="The API at /v1 works without it.")
        await expect(notice).to_be_in_viewport(ratio=1)
        await expect(page.locator(":is(button, textarea, input) >> visible=true")).to_have_count(0)
        await expect(page.locator("a >> visible=true")).to_have_text(["mlxsite", "Reload the page"])
        box = await page.locator(".notice").bounding_box()
        assert box and abs(box["x"] + box["width"] / 2 - width / 2) < 2

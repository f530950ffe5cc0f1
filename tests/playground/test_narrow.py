"""What a phone's width must not squeeze."""

import pytest
from playwright.async_api import Locator, expect

from tests.playground.site import visiting

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 800}


async def box(place: Locator) -> dict[str, float]:
    found = await place.bounding_box()
    assert found
    return {"width": found["width"], "y": found["y"]}


async def test_fields_beside_each_other_stand_on_one_line(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        await visit.page.click("#settings-button")
        longest, seed = visit.page.locator("#set-max-tokens"), visit.page.locator("#set-seed")
        assert (await box(longest))["y"] == (await box(seed))["y"]


async def test_a_short_notice_has_the_width_for_its_text(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        await visit.page.click("#picker-button")
        await visit.page.get_by_role("button", name="Compare models…").click()
        for place in range(2):
            await visit.page.get_by_role("checkbox").nth(place).check()
        await visit.page.get_by_role("button", name="Compare", exact=True).click()
        await visit.ask("Compare echo")
        toast = visit.page.locator("#toast")
        await expect(toast).to_contain_text("For the models together")
        assert (await box(toast))["width"] > 300

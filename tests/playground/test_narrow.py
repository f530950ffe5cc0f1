"""What a phone's width, or the panels beside the chat, must not squeeze."""

import pytest
from playwright.async_api import Locator, expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 800}
ANSWERED_TWICE = """async () => {
  const { call } = await import("/static/playground/api.js");
  const text = { role: "assistant", content: "An answer. ".repeat(40), model: "scripted-model" };
  const question = { id: 1, parent: null, role: "user", content: "Why?" };
  const messages = [question, { ...text, id: 2, parent: 1 }, { ...text, id: 3, parent: 1 }];
  const file = { format: "mlxsite-conversation-1", title: "Two answers", messages, tip: 3 };
  await call("POST", "/chat/import/", file);
}"""


async def box(place: Locator) -> dict[str, float]:
    found = await place.bounding_box()
    assert found
    return {"width": found["width"], "y": found["y"], "x": found["x"], "end": found["x"] + found["width"]}


@nightly
async def test_fields_beside_each_other_stand_on_one_line(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        await visit.page.click("#settings-button")
        longest, seed = visit.page.locator("#set-max-tokens"), visit.page.locator("#set-seed")
        assert (await box(longest))["y"] == (await box(seed))["y"]


@nightly
async def test_a_short_notice_has_the_width_for_its_text(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        await visit.page.click("#picker-button")
        await visit.page.get_by_role("button", name="Compare models…").click()
        for place in range(2):
            await visit.page.get_by_role("checkbox").nth(place).check()
        await visit.page.get_by_role("button", name="Compare", exact=True).click()
        await visit.ask("Compare echo")
        toast = visit.page.locator("#toast")
        await expect(toast).to_contain_text("Together, these models")
        assert (await box(toast))["width"] > 300


async def test_the_parts_of_the_page_fit_between_the_list_and_the_settings(address: str) -> None:
    async with visiting(address, viewport={"width": 1280, "height": 800}, reduced_motion="reduce") as visit:
        page = visit.page
        await page.click("#settings-button")
        await expect(page.locator("#settings-panel")).to_be_visible()
        await expect(page.locator("#sidebar")).to_be_visible()
        panel = (await box(page.locator("#settings-panel")))["x"]
        assert (await box(page.get_by_role("link", name="Sign in")))["end"] < panel
        assert (await box(page.locator(".picker-name")))["width"] > 90
        await page.evaluate(ANSWERED_TWICE)
        await page.get_by_role("link", name="Two answers").click()
        await page.get_by_role("button", name="Side by side").first.click()
        for column in await page.locator(".columns > .message").all():
            place = await box(column)
            assert place["x"] > 280 and place["end"] < panel


@nightly
async def test_send_stands_at_the_end_of_the_field(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        for text in ("", "A text whose tokens are counted beside the buttons. " * 400):
            await visit.page.fill("#prompt", text)
            await expect(visit.page.locator("#gauge")).to_be_visible(visible=bool(text))
            button, field = await box(visit.page.locator("#send")), await box(visit.page.locator("#composer"))
            assert 0 < field["end"] - button["end"] < 16

"""Models side by side in Chromium: the choice of up to four, columns that scroll, and the way out."""

import pytest
from playwright.async_api import expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 800}
FOUR = ("scripted-model", "mlx-community/Qwen3-8B-4bit", "slow-loader", "endless-loader")

BOXES = "all => all.map(node => node.getBoundingClientRect().toJSON())"
# Of a name above the columns, and of the last column.
LEFT_EDGES = """model => {
  const all = [...document.querySelectorAll(".columns-name")];
  const names = all.filter((one) => one.textContent.includes(model));
  const columns = [...document.querySelectorAll(".columns > .message")];
  return [names.at(-1), columns.at(-1)].map(node => node.getBoundingClientRect().left);
}"""


async def test_a_fifth_model_is_refused_and_nothing_unticks_itself(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.get_by_role("button", name="Compare models…").click()
        dialog = page.get_by_role("dialog", name="Compare models")
        compare = dialog.get_by_role("button", name="Compare", exact=True)
        await compare.click()
        await expect(dialog.get_by_role("status")).to_contain_text("Tick at least two models.")
        await expect(dialog.get_by_role("checkbox", name=FOUR[0])).to_be_checked()  # the one in use
        for name in FOUR[1:]:
            await dialog.get_by_role("checkbox", name=name, exact=True).click()
        fifth = dialog.get_by_role("checkbox", name="broken-model")
        for place in (fifth, dialog.get_by_text("broken-model")):
            await place.click()
            await expect(dialog.get_by_role("status")).to_contain_text("Four at most")
            await expect(fifth).not_to_be_checked()
        for name in FOUR:
            await expect(dialog.get_by_role("checkbox", name=name, exact=True)).to_be_checked()
        await dialog.get_by_label("Filter models").fill("qwen")
        await expect(dialog.get_by_role("checkbox")).to_have_count(1)
        await dialog.get_by_label("Filter models").fill("")
        await page.keyboard.press("ArrowDown")
        await expect(dialog.get_by_role("checkbox", name="scripted-model")).to_be_focused()
        await compare.click()
        await expect(page.locator(".picker-name")).to_have_text("4 models side by side")
        await page.get_by_role("button", name="Stop comparing").click()
        await expect(page.locator(".picker-name")).to_have_text("scripted-model")
        await expect(page.get_by_role("button", name="Stop comparing")).to_be_hidden()


@nightly
async def test_columns_scroll_sideways_under_names_that_stay_on_a_phone(address: str) -> None:
    async with visiting(address, viewport=PHONE, reduced_motion="reduce") as visit:
        page = visit.page
        await page.click("#picker-button")
        await page.get_by_role("button", name="Compare models…").click()
        for model in FOUR[:3]:
            await page.get_by_role("checkbox", name=model, exact=True).check()
        await page.get_by_role("button", name="Compare", exact=True).click()
        await visit.ask("How does one list primes?")
        columns = page.locator(".columns > .message")
        await expect(columns).to_have_count(3)
        for column in await columns.all():
            await expect(column).to_have_attribute("data-status", "done", timeout=30_000)
        boxes = await columns.evaluate_all(BOXES)  # of one moment: the thread may still scroll
        assert len({box["y"] for box in boxes}) == 1
        assert all(250 < box["width"] < 390 for box in boxes)
        await page.evaluate("""() => {
            document.querySelector("#scroll").scrollTop = 600;
            document.querySelector(".columns").scrollLeft = 10_000;
        }""")
        name = page.locator(".columns-name", has_text="slow-loader")
        await expect(name).to_be_in_viewport(ratio=0.95)
        left, other = await page.evaluate(LEFT_EDGES, "slow-loader")
        assert abs(left - other) < 2
        for selector in ("html", "#scroll", ".bar"):
            fits = await page.locator(selector).evaluate("node => node.scrollWidth <= node.clientWidth")
            assert fits, selector

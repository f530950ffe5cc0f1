"""Keys that belong to the text being typed: input methods in each browser's order, return on a phone."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import Visit, visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}

# What each browser sends when `key` ends a composition in the field that has the focus.
COMPOSE = """([order, key]) => {
  const field = document.activeElement;
  const always = { bubbles: true, cancelable: true, composed: true };
  const fire = (kind, type, facts) => field.dispatchEvent(new kind(type, { ...always, ...facts }));
  const composition = (type) => fire(CompositionEvent, type, { data: "日本" });
  const press = (facts) => fire(KeyboardEvent, "keydown", { key, code: key, keyCode: 229, ...facts });
  composition("compositionstart");
  composition("compositionupdate");
  if (order === "Chrome") press({ isComposing: true });
  if (order === "Firefox") press({ isComposing: true, key: "Process" });
  composition("compositionend");
  if (order === "Safari") press({ isComposing: false });
  fire(KeyboardEvent, "keyup", { key, keyCode: key === "Enter" ? 13 : 27 });
}"""


async def compose(page: Page) -> None:
    """Every browser's order, with the key that confirms and the one that cancels."""
    for order in ("Chrome", "Firefox", "Safari"):
        for key in ("Enter", "Escape"):
            await page.evaluate(COMPOSE, [order, key])


async def ended(visit: Visit) -> None:
    await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)


async def test_in_the_question_in_an_edit_and_in_a_new_name(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.fill("#prompt", "日本 echo")
        await compose(page)
        await expect(page.locator("#prompt")).to_have_value("日本 echo")
        await expect(page.locator(".message")).to_have_count(0)
        await page.press("#prompt", "Enter")  # this one is the visitor's
        await ended(visit)
        await page.press("#prompt", "ArrowUp")
        edit = page.get_by_label("Edit your question")
        await edit.fill("東京 echo")
        await compose(page)
        await expect(edit).to_have_value("東京 echo")
        await edit.press("Enter")
        await expect(page.locator(".message.is-user")).to_contain_text("東京 echo")
        await ended(visit)
        row = page.locator(".unfiled .row").first  # the site has pinned ones and folders of other tests, too
        await row.hover()
        await row.get_by_label(re.compile("More about")).click()
        await page.get_by_role("menuitem", name="Rename").click()
        name = page.get_by_label("Title")
        await name.fill("富士山")
        await compose(page)
        await expect(name).to_have_value("富士山")
        await name.press("Enter")
        await expect(page.locator(".unfiled .row-link").first).to_have_text("富士山")


@nightly
async def test_in_the_search_and_in_the_settings_while_an_answer_runs(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await visit.ask("Talk forever")
        await expect(page.locator(f"{ANSWER} > .prose")).to_contain_text("calm way")
        await page.fill("#search", "天気")
        await compose(page)
        await expect(page.locator("#search")).to_have_value("天気")
        await page.fill("#search", "")
        await page.click("#settings-button")
        prompt = page.get_by_role("textbox", name="System prompt")
        await prompt.fill("短く")
        await compose(page)
        await expect(prompt).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(prompt).to_be_hidden()
        await page.focus("#prompt")
        await compose(page)
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await page.press("#prompt", "Escape")
        await expect(page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


async def test_a_real_composition_of_this_browser(address: str) -> None:
    async with visiting(address) as visit:
        devtools = await visit.page.context.new_cdp_session(visit.page)
        composing = {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
        await visit.page.focus("#prompt")
        await devtools.send("Input.imeSetComposition", composing)
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator(".message")).to_have_count(0)
        await devtools.send("Input.insertText", {"text": "日本 echo"})
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator(".message.is-user")).to_contain_text("日本 echo")


async def test_return_on_a_phone_is_a_new_line_and_the_button_sends(address: str) -> None:
    async with visiting(address, **PHONE) as visit:
        page = visit.page
        prompt = page.locator("#prompt")
        await prompt.tap()
        await expect(prompt).to_have_attribute("enterkeyhint", "enter")
        await page.keyboard.type("one")
        await page.keyboard.press("Enter")
        await page.keyboard.type("echo")
        await expect(prompt).to_have_value("one\necho")
        await page.click("#send")
        await ended(visit)
        await page.get_by_label("Edit question").click()
        edit = page.get_by_label("Edit your question")
        await edit.press("End")
        await edit.press("Enter")
        await expect(edit).to_have_value(re.compile(r"\n"))
        await edit.fill("two echo")
        await edit.press("Control+Enter")  # of a keyboard that is attached
        await expect(page.locator(".message.is-user")).to_contain_text("two echo")
        await ended(visit)
        await page.click("#sidebar-toggle")
        await page.locator("#search").tap()
        await expect(page.locator("#search")).to_have_attribute("enterkeyhint", "search")

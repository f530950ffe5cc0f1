"""The settings panel in Chromium: mistakes are held, defaults are the visitor's, a chat keeps its own."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"
# The setting, what is entered, and what the page says of it.
MISTAKES = [
    ("temperature", "3", "Temperature: Enter a number from 0 to 2."),
    ("temperature", "-0.1", "from 0 to 2"),
    ("temperature", "0,7", "Use a point for decimals: 0.7"),
    ("temperature", "0x1", "Enter a number"),
    ("top_p", "Infinity", "from 0 to 1"),
    ("min_p", "NaN", "from 0 to 1"),
    ("top_k", "1.5", "whole number from -1 up"),
    ("repetition_penalty", "0", "above 0, up to 2"),
    ("max_tokens", "1,000", "Leave out the commas: 1000"),
    ("max_tokens", "0", "from 1 up"),
    ("seed", "1.5", "Enter a whole number."),
    ("seed", "99999999999999999999", "Enter a whole number."),
    ("thinking_budget", "-1", "from 0 up"),
    ("top_logprobs", "21", "from 0 to 20"),
    ("schema", '{"type": "obj', "not valid JSON"),
    ("schema", "[1]", "must be a JSON object"),
    ("schema", '{"enum": []}', "at least one value"),
    ("schema", '{"properties": {"a": {"type": "text"}}}', 'no type "text"'),
    ("schema", '{"required": "a"}', "a list of names"),
    ("stop", "\n".join(f"stop {n}" for n in range(65)), "at most 64"),
    ("stop", "x" * 501, "at most 500 characters"),
    ("choices", "\n\n", "Enter the choices"),
    ("regex", "(a", "not a valid regular expression"),
    ("regex", "*a", "not a valid regular expression"),
    ("grammar", " ", "Enter a grammar"),
    ("tools", '{"name": "a"}', "must be a JSON list"),
    ("tools", "null", "must be a JSON list"),
    ("tools", '[{"type": "function", "name": "a"}]', 'needs an object "function"'),
    ("tools", '[{"name": "a b"}]', "Tool 1 needs a name"),
    ("tools", '[{"name": "a"}, {"name": "a"}]', "another tool is named a"),
    ("tools", '[{"name": "a", "parameters": {"enum": []}}]', "at least one value"),
]
# Enters each text, asks, and returns what the page says; then the field is as before.
TRY = """async (mistakes) => {
  const prompt = document.querySelector("#prompt");
  const toast = document.querySelector("#toast");
  const soon = () => new Promise((done) => { setTimeout(done, 5); });
  const outcome = async (name, text) => {
    const field = document.querySelector(`#settings-panel [name=${name}]`);
    const format = document.querySelector("#set-format");
    const enter = (into, given) => {
      into.value = given;
      into.dispatchEvent(new Event("input", { bubbles: true }));
    };
    if (["choices", "regex", "grammar"].includes(name)) enter(format, name === "choices" ? "choice" : name);
    enter(field, text);
    field.closest("details").open = false;
    toast.hidden = true;
    prompt.value = "Please echo";
    document.querySelector("#composer").requestSubmit();
    for (let tries = 0; toast.hidden && tries < 500; tries += 1) await soon();
    const found = {
      said: toast.textContent,
      line: document.querySelector(`#${field.id}-problem`).textContent,
      isFocused: document.activeElement === field,
      isVisible: field.checkVisibility(),
      isMarked: field.getAttribute("aria-invalid") === "true",
      question: prompt.value,
      asked: document.querySelectorAll(".message").length,
    };
    enter(field, "");
    enter(format, "text");
    return found;
  };
  const outcomes = [];
  for (const [name, text] of mistakes) outcomes.push(await outcome(name, text));
  return outcomes;
}"""


async def open_settings(page: Page) -> None:
    await page.click("#settings-button")
    await expect(page.get_by_role("dialog", name="Settings")).to_be_visible()


async def late(route: Route) -> None:
    await asyncio.sleep(0.5)
    await route.continue_()


async def echo(page: Page) -> str:
    """What the model reads of the next question."""
    count = await page.locator(".message.is-assistant").count()
    await page.fill("#prompt", "Please echo")
    await page.press("#prompt", "Enter")
    await expect(page.locator(".message.is-assistant")).to_have_count(count + 1)
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
    return await page.locator(PROSE).inner_text()


@nightly
async def test_a_question_with_a_wrong_setting_is_held(address: str) -> None:
    async with visiting(address) as visit:
        await open_settings(visit.page)
        outcomes = await visit.page.evaluate(TRY, [[name, text] for name, text, _ in MISTAKES])
        for (name, text, expected), found in zip(MISTAKES, outcomes, strict=True):
            assert expected in found["said"], (name, text, found)
            assert found["said"].startswith("Not sent. ") and found["line"].split(".")[0] in found["said"]
            assert found["isFocused"] and found["isVisible"] and found["isMarked"], (name, text, found)
            assert (found["question"], found["asked"]) == ("Please echo", 0)
        await visit.page.fill("#set-temperature", "0,7")
        await expect(visit.page.locator("#settings-button")).to_have_text(re.compile("with a mistake"))
        await visit.page.get_by_role("button", name="Use 0.7").click()
        assert "temperature 0.7" in await echo(visit.page)


async def test_a_new_chat_has_my_defaults_and_an_old_one_its_own(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await page.route("**/settings-contents.js", late)  # what is written before the panel is ready counts
        await open_settings(page)
        await page.fill("#set-top-k", "7")
        await page.get_by_role("button", name="Use as my defaults").click()
        await expect(page.locator("#settings-state")).to_contain_text("Saved")
        await page.fill("#set-temperature", "1.7")
        await page.fill("#set-system", "Speak like a pirate.")
        assert "pirate. | user: Please echo | temperature 1.7" in await echo(page)
        await page.click("#new-chat")
        await expect(page.locator("#set-system")).to_have_value("")
        text = await echo(page)
        assert "pirate" not in text and "temperature None" in text and "top_k 7" in text
        await page.click("#new-chat")
        await page.fill("#set-system", "Not yet asked.")
        await page.click("#new-chat")
        await expect(page.locator("#set-system")).to_have_value("")
        await page.get_by_role("button", name="Keep the edited ones").click()
        await expect(page.locator("#set-system")).to_have_value("Not yet asked.")
        await page.locator(".unfiled .row-link").nth(1).click()
        await expect(page.locator("#set-temperature")).to_have_value("1.7")
        await page.fill("#set-seed", "5")  # an edit survives a reload, and a look into another chat
        await page.reload()
        await expect(page.locator("#set-seed")).to_have_value("5")
        await page.locator(".unfiled .row-link").first.click()
        await expect(page.locator("#set-seed")).to_have_value("")
        await page.locator(".unfiled .row-link").nth(1).click()
        await expect(page.locator("#set-seed")).to_have_value("5")
        await page.get_by_role("button", name="Restore my defaults").click()
        for field, value in (("#set-top-k", "7"), ("#set-temperature", ""), ("#set-system", "")):
            await expect(page.locator(field)).to_have_value(value)
        await page.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(page.locator("#set-temperature")).to_have_value("1.7")
        other = await page.context.new_page()
        await other.goto(address)
        await expect(other.locator("#set-top-k")).to_have_value("7")
        await expect(other.locator("#set-temperature")).to_have_value("")


@nightly
async def test_edits_for_a_new_chat_go_on_with_the_account(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await open_settings(page)
        await page.fill("#set-temperature", "0.7")
        await page.fill("#prompt", "Hello")
        await visit.sign_in("dora")
        await expect(page.locator("#prompt")).to_have_value("Hello")
        await expect(page.locator("#set-temperature")).to_have_value("0.7")
        assert await page.evaluate("sessionStorage.getItem('mlxsite.settings.')") == "{}"


@nightly
async def test_an_accounts_defaults_and_prompts_follow_it(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        prompts = [{"id": 1, "name": "Before", "text": "Saved before signing in."}]
        await page.evaluate("all => localStorage.setItem('mlxsite.prompts', JSON.stringify(all))", prompts)
        await visit.sign_in("dora")
        await open_settings(page)
        other = await page.context.new_page()
        await other.goto(address)
        await page.fill("#set-temperature", "0.4")
        await page.fill("#set-system", "You talk to {{name}} on {{date}} as {{model}}; {{mood}}")
        preview = page.get_by_role("group", name="Preview")
        await expect(preview).to_contain_text(
            re.compile(r"to dora on \d{4}-\d\d-\d\d as scripted-model; \{\{mood\}\}")
        )
        await page.get_by_text("Saved prompts").click()
        await page.get_by_role("button", name="Add them to your library").click()
        await expect(page.get_by_role("button", name="Use Before")).to_be_visible()
        await expect(page.locator("#prompt-offer")).to_be_hidden()
        name = page.get_by_label("Name", exact=True)
        await name.fill("Friend")
        await page.route("**/chat/*s/", lambda route: route.abort())
        await page.get_by_role("button", name="Save prompt").click()
        await expect(page.locator("#toast")).to_contain_text("cannot be reached")
        await expect(name).to_have_value("Friend")
        await page.get_by_role("button", name="Use as my defaults").click()
        await expect(page.locator("#toast")).to_contain_text("Your defaults were not saved")
        await page.unroute("**/chat/*s/")
        await page.get_by_role("button", name="Save prompt").click()
        await expect(page.get_by_role("button", name="Use Friend")).to_be_visible()
        await page.get_by_role("button", name="Use as my defaults").click()
        await expect(other.locator("#set-temperature")).to_have_value("0.4")
        said = await echo(other)
        assert re.search(r"system: You talk to dora on \d{4}-\d\d-\d\d as scripted-model; \{\{mood\}\}", said)
    async with visiting(address) as visit:
        page = visit.page
        await expect(page.locator("#set-temperature")).to_have_value("")
        await visit.sign_in("dora")
        await open_settings(page)
        await expect(page.locator("#set-temperature")).to_have_value("0.4")
        await page.get_by_text("Saved prompts").click()
        await page.get_by_role("button", name="Rename Friend").click()
        await page.get_by_label("New name").fill("Pal")
        await page.keyboard.press("Enter")
        await page.get_by_label("Search prompts").fill("nothing like it")
        await expect(page.get_by_text("No prompts match.")).to_be_visible()
        await page.get_by_label("Search prompts").fill("MOOD")
        await page.get_by_role("button", name="Delete Pal").click()
        await expect(page.get_by_role("button", name="Use Pal")).to_have_count(0)
        await page.locator("#toast").get_by_role("button", name="Undo").last.click()
        await expect(page.get_by_role("button", name="Use Pal")).to_be_visible()
        assert visit.complaints == []


@nightly
async def test_the_panel_is_beside_the_chat_and_stays_as_it_was_left(address: str) -> None:
    async with visiting(address, reduced_motion="reduce", viewport={"width": 1280, "height": 800}) as visit:
        page = visit.page
        await open_settings(page)
        panel, app = page.locator("#settings-panel"), page.locator(".app")
        panel_box, app_box = await panel.bounding_box(), await app.bounding_box()
        assert panel_box and app_box and app_box["x"] + app_box["width"] <= panel_box["x"]
        await page.get_by_text("Output format", exact=True).click()
        await page.get_by_text("Sampling", exact=True).click()
        await page.reload()
        await expect(page.get_by_label("JSON Schema")).to_be_visible()
        await expect(page.get_by_label("Temperature")).to_be_hidden()
        await page.locator("#set-format").focus()
        await page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(page.locator("#settings-button")).to_be_focused()
        assert visit.complaints == []


@nightly
async def test_the_panel_is_a_sheet_on_a_phone(address: str) -> None:
    async with visiting(address, reduced_motion="reduce", viewport={"width": 390, "height": 800}) as visit:
        page = visit.page
        await open_settings(page)
        box = await page.locator("#settings-panel").bounding_box()
        assert box and (box["x"], box["width"]) == (0, 390)
        small = """all => all.filter((one) => one.checkVisibility())
            .filter((one) => one.getBoundingClientRect().height < 40).map((one) => one.outerHTML)"""
        controls = page.locator("#settings-panel :is(button, input, select, summary)")
        assert await controls.evaluate_all(small) == []
        await expect(page.get_by_label("Temperature")).to_have_css("font-size", "16px")
        await page.get_by_role("button", name="Close", exact=True).click()
        await expect(page.locator("#settings-button")).to_be_focused()
        assert visit.complaints == []


@nightly
async def test_empty_fields_say_what_the_model_does(address: str) -> None:
    async with visiting(address) as visit:
        page = visit.page
        await open_settings(page)
        temperature, slider = page.get_by_label("Temperature"), page.get_by_role("slider", name="Temperature")
        await expect(temperature).to_have_attribute("placeholder", "0.6, the model's")
        await expect(slider).to_have_js_property("value", "0.6")
        await expect(page.get_by_label("Top p")).to_have_attribute("placeholder", "1, the default")
        await expect(page.get_by_label("Maximum length")).to_have_attribute("placeholder", "up to 8,192")
        await temperature.press("ArrowUp")
        await expect(temperature).to_have_value("0.65")
        await slider.press("ArrowLeft")
        await expect(temperature).to_have_value("0.6")
        await page.get_by_role("button", name="Reset to 0.6").click()
        await expect(temperature).to_have_value("")
        await expect(temperature).to_be_focused()
        await page.get_by_text("Reasoning", exact=True).click()
        await expect(page.locator("#reasoning-note")).to_contain_text("scripted-model does not reason")
        reasoning = {"can_reason": True, "has_switch": False, "efforts": ["low", "high"]}
        answer = {"model": "a thinker", "defaults": {}, "reasoning": reasoning, "has_template": False}
        await page.route("**/chat/models/settings/**", lambda route: route.fulfill(json=answer))
        await page.click("#settings-button")
        await page.click("#settings-button")
        await expect(page.locator("#reasoning-note")).to_contain_text("the effort levels low, high.")
        offered = "all => [...all.options].filter((one) => !one.hidden).map((one) => one.value)"
        assert await page.get_by_label("Effort").evaluate(offered) == ["", "none", "low", "high"]
        await expect(page.locator("#tools-note")).to_contain_text("cannot use tools")
        await page.get_by_text("Output format", exact=True).click()
        await page.get_by_label("Format").select_option("choice")
        await page.get_by_label("Choices").fill("yes\nno")
        assert "grammar choice" in await echo(page)

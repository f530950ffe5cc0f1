"""The playground in Chromium, against a real Daphne."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from tests.nightly import nightly
from tests.playground.site import capturing, visiting

pytestmark = pytest.mark.browser
ANSWER = ".message.is-assistant:last-child"
PROSE = f"{ANSWER} > .prose"


async def test_an_answer_is_rendered_while_it_streams_and_ends_with_its_figures(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("How does one list primes?")
        answer = visit.page.locator(ANSWER)
        await expect(answer.locator(".code .hljs-keyword").first).to_be_visible()
        assert await answer.get_attribute("data-status") == "streaming"
        await expect(answer.locator(".live")).to_contain_text(re.compile(r"\d+ tokens · [\d.]+ tokens/s"))
        await expect(answer.locator("td[align=right]").first).to_be_visible()
        await expect(answer.locator(".figures")).to_contain_text(
            re.compile(r"\d+ tokens · \d+ tokens/s · first token after"), timeout=20_000
        )
        assert (visit.complaints, visit.elsewhere) == ([], [])


async def test_stop_keeps_the_text(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Talk forever")
        answer = visit.page.locator(ANSWER)
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await visit.page.click("#send")
        await expect(answer).to_have_attribute("data-status", "stopped")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await expect(visit.page.get_by_label("Send", exact=True)).to_be_visible()
        await expect(visit.page.locator(".picker-state")).to_have_text("ready")  # the model was let go


@nightly
async def test_escape_stops_an_answer(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Talk forever")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "stopped")


@nightly
async def test_loading_is_shown_with_its_percent(address: str) -> None:
    async with visiting(address) as visit:
        await pick(visit.page, "endless-loader")
        await visit.ask("Are you there?")
        waiting = visit.page.locator(".waiting")
        await expect(waiting).to_contain_text("Loading endless-loader… 40 %, verifying batch support")
        await expect(waiting.locator("progress")).to_have_js_property("value", 0.4)
        await visit.page.keyboard.press("Escape")


async def test_reading_the_prompt_is_shown_in_tokens(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Slowly with a long prefill")
        await expect(visit.page.locator(".waiting")).to_contain_text(
            re.compile("Processing the prompt… [369]00 of 1,200 tokens, 300 of them cached")
        )


async def test_the_picker_shows_states_live(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#picker-button")
        options = visit.page.locator(".option")
        await expect(options.filter(has_text="endless-loader")).to_contain_text(
            "loading 40 %, verifying batch support"
        )
        await visit.page.get_by_role(
            "button", name="Load broken-model"
        ).click()  # the failed one at the start is old
        await expect(options.filter(has_text="broken-model")).to_contain_text("its weights are incomplete")
        await expect(options.filter(has_text="hidden-model")).to_have_count(0)
        await options.filter(has_text="slow-loader").click()
        await visit.ask("How does one list primes?")
        state = visit.page.locator(".picker-state")
        await expect(state).to_contain_text(re.compile(r"loading \d+ %|generating"))
        await expect(state).to_have_text("ready", timeout=20_000)


async def test_a_failing_answer_says_why_and_can_be_tried_again(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("This one dies")
        error = visit.page.get_by_role("alert")
        await expect(error).to_contain_text("The model's process ended")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await error.get_by_role("button", name="Try again").click()
        await expect(error).to_have_count(0)
        await expect(visit.page.locator(".message.is-assistant")).to_have_count(1)
        await expect(error).to_contain_text("The model's process ended")


@nightly
async def test_an_answer_cut_short_says_so(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Have it cut")
        figures = visit.page.locator(".figures")
        await expect(figures).to_contain_text("stopped at the length limit", timeout=20_000)


async def test_an_answer_goes_on_through_a_reload(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("How does one list primes?")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await visit.page.reload()
        await expect(visit.page.locator(".message.is-user .prose")).to_have_text("How does one list primes?")
        await expect(visit.page.locator(PROSE)).to_contain_text("calm way")
        await expect(visit.page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        await expect(visit.page.locator(PROSE)).to_contain_text("More about it is on Wikipedia.")
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "done")


@nightly
async def test_a_new_chat_is_empty_and_the_old_one_is_in_the_list(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("This one dies")
        await expect(visit.page.get_by_role("alert")).to_be_visible()
        await visit.page.click("#new-chat")
        await expect(visit.page.locator(".message")).to_have_count(0)
        await expect(visit.page.locator("#welcome")).to_be_visible()
        await visit.page.locator(".unfiled .row-link").first.click()
        await expect(visit.page.get_by_role("alert")).to_contain_text("The model's process ended")


async def test_the_model_reads_the_turns_and_the_settings(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#settings-button")
        await visit.page.get_by_label("System prompt").fill("Be brief.")
        await visit.page.get_by_label("Temperature").fill("0.2")
        await visit.page.get_by_label("Seed").fill("7")
        await visit.page.keyboard.press("Escape")
        await visit.ask("I am refused")
        await expect(visit.page.get_by_role("alert")).to_contain_text("shorten it")
        await visit.ask("Please echo")
        expected = "system: Be brief. | user: Please echo | temperature 0.2 seed 7"
        await expect(visit.page.locator(PROSE)).to_have_text(expected)
        await visit.ask("Another echo")
        await expect(visit.page.locator(PROSE)).to_contain_text(f"assistant: {expected} | user: Another echo")


async def test_every_setting_of_the_page_reaches_the_model(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#settings-button")
        for group in ("Output format", "Reasoning", "Stop sequences"):
            await visit.page.get_by_text(group, exact=True).click()
        await visit.page.get_by_label("Top k").fill("40")
        await visit.page.get_by_label("Thinking", exact=True).select_option("off")
        await visit.page.get_by_label("Stop sequences").fill("END\nFIN")
        schema = visit.page.get_by_label("JSON Schema")
        await schema.fill('{"type": "obj')
        await expect(visit.page.locator("#set-schema-problem")).to_contain_text("This is not valid JSON")
        await schema.fill('{"type": "object"}')
        await expect(visit.page.locator("#set-schema-problem")).to_be_empty()
        await visit.page.keyboard.press("Escape")
        await visit.ask("Please echo")
        wishes = 'top_k 40 | stop END, FIN | schema {"type": "object"} | thinking False'
        await expect(visit.page.locator(PROSE)).to_contain_text(wishes)


async def test_a_tool_call_is_a_card_and_its_result_goes_back(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.click("#settings-button")
        await visit.page.get_by_text("Tools", exact=True).click()
        tools = visit.page.get_by_label("Functions the model may call")
        await tools.fill('{"name": "weather"}')
        await expect(visit.page.locator("#set-tools-problem")).to_contain_text("a JSON list")
        await tools.fill('[{"name": "weather"}]')
        await visit.page.keyboard.press("Escape")
        await visit.ask("How is Rome?")
        card = visit.page.get_by_role("region", name="Call of weather")
        await expect(card.locator("pre").first).to_have_text('{\n  "city": "Rome"\n}')
        await card.get_by_label("Result of weather").fill("Sunny echo")
        await visit.page.get_by_role("button", name="Send results").click()
        last = visit.page.locator(PROSE).last
        await expect(last).to_contain_text("user: How is Rome? | assistant:  | tool: Sunny echo")
        await expect(card.locator(".call-result")).to_have_text("Sunny echo")
        await expect(visit.page.get_by_role("button", name="Send results")).to_be_hidden()


@nightly
async def test_formulas_are_set_and_prices_are_not(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Show me formulas")
        text = visit.page.locator(PROSE)
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "done", timeout=20_000)
        await expect(text.locator("math")).to_have_count(5)
        await expect(text.locator(".math.is-block mfrac")).to_have_count(1)
        await expect(text).to_contain_text("that costs $5 or $6, and")
        await expect(text.locator("code", has_text="$no$")).to_have_count(1)
        await expect(text.locator("math [href], math a")).to_have_count(0)
        assert (visit.complaints, visit.elsewhere) == ([], [])


@nightly
async def test_thoughts_are_folded_above_the_answer(address: str) -> None:
    async with visiting(address) as visit:
        await visit.ask("Share your thoughts")
        thoughts = visit.page.locator(".reasoning")
        await expect(thoughts).not_to_have_attribute("open", "")
        await thoughts.locator("summary").click()
        await expect(thoughts.locator(".prose")).to_contain_text("A sieve is simplest")


@nightly
async def test_the_keyboard_alone_is_enough(address: str) -> None:
    async with visiting(address) as visit:
        prompt = visit.page.locator("#prompt")
        await expect(prompt).to_be_focused()
        await visit.page.keyboard.type("one")
        await visit.page.keyboard.press("Shift+Enter")
        await visit.page.keyboard.type("echo")
        await expect(prompt).to_have_value("one\necho")
        await visit.page.locator("#picker-button").press("Enter")
        await visit.page.keyboard.press("ArrowDown")
        await visit.page.keyboard.press("ArrowUp")
        await visit.page.keyboard.type("4bit QWEN")
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator(".picker-name")).to_have_text("mlx-community/Qwen3-8B-4bit")
        await expect(prompt).to_be_focused()
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator(PROSE)).to_contain_text("user: one")


@nightly
async def test_light_and_dark_follow_the_system_until_chosen(address: str) -> None:
    async with visiting(address, color_scheme="dark") as visit:
        body = visit.page.locator("body")
        await expect(body).to_have_css("background-color", "rgb(22, 23, 25)")
        await visit.page.click("#theme")
        await expect(body).to_have_css("background-color", "rgb(250, 249, 246)")
        await visit.page.reload()
        await expect(body).to_have_css("background-color", "rgb(250, 249, 246)")
        await visit.page.click("#theme")
        await expect(body).to_have_css("background-color", "rgb(22, 23, 25)")


async def test_a_phone_needs_no_sideways_scrolling(address: str) -> None:
    async with visiting(
        address, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    ) as visit:
        await visit.page.fill("#prompt", "How does one list primes?")
        await visit.page.click("#send")
        await expect(visit.page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        for selector in ("html", "#scroll", ".bar"):
            fits = await visit.page.locator(selector).evaluate("node => node.scrollWidth <= node.clientWidth")
            assert fits, selector


async def test_a_capture_is_shown_while_it_goes_on(address: str) -> None:
    async with visiting(address, timezone_id="Asia/Kolkata") as visit:
        line = visit.page.locator("#kept")
        await expect(visit.page.locator(".picker-state")).to_have_text("ready")
        await expect(line).to_be_hidden()
        async with capturing(address):
            end = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(hours=1)
            text = "This server stores prompts and answers until "
            await expect(line).to_contain_text(text)
            ends = {f"{at:%H:%M}." for at in (end, end - timedelta(minutes=1))}
            assert (await line.inner_text())[-6:] in ends
            await visit.page.reload()
            await expect(line).to_contain_text(text)
        await expect(line).to_be_hidden()
        assert visit.complaints == []


@nightly
async def test_a_long_capture_is_reported_with_its_day(address: str) -> None:
    async with capturing(address, 3 * 86_400), visiting(address, timezone_id="UTC") as visit:
        end = datetime.now(UTC) + timedelta(days=3)
        await expect(visit.page.locator("#kept")).to_contain_text(f"until {end:%b} {end.day}, ")


async def test_the_first_load_is_small_and_clean(address: str) -> None:
    async with visiting(address) as visit:
        await visit.page.wait_for_load_state("networkidle")
        sizes = await visit.page.evaluate(
            "performance.getEntriesByType('resource').map(entry => entry.decodedBodySize)"
        )
        assert sum(sizes) < 300_000
        assert (visit.complaints, visit.elsewhere) == ([], [])


async def pick(page: Page, model: str) -> None:
    await page.click("#picker-button")
    await page.locator(".option").filter(has_text=model).click()

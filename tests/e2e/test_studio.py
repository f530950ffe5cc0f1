"""The studio with real models behind it: reloads, alternative answers, comparisons, statistics."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.e2e.site import STARTER, TWIN, Site, narrow_site
from tests.e2e.studio import ANSWER, KEY, PROSE, SLOW, ended, pick, signed_in
from tests.nightly import nightly
from tests.playground.menus import choose
from tests.playground.site import Visit, visiting

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
WATCH = """() => {
  const thread = document.querySelector("#thread");
  const watch = { subtree: true, childList: true, characterData: true };
  new MutationObserver(() => seen(thread.innerText)).observe(thread, watch);
}"""


@pytest.fixture
def narrow(models_dir: Path) -> Iterator[Site]:
    """A site with room for one of its two real models, which answers one question at a time."""
    with narrow_site(models_dir, MLX_SERVER_MAX_BATCH="1", MLX_SERVER_TITLES="false") as site:
        yield site


@nightly
async def test_a_real_answer_goes_on_through_a_reload(studio: Site) -> None:
    async with signed_in(studio, temperature="0", max_tokens="50") as visit:
        await visit.ask("Tell a story about a lighthouse.")
        await expect(visit.page.locator(PROSE)).to_contain_text(re.compile(r"\w+ \w+"), timeout=SLOW)
        await visit.page.reload()
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        answer_text = await ended(visit.page)
        await choose(visit.page.locator(ANSWER), "Details")
        await expect(visit.page.locator(".made dl")).to_contain_text("50 tokens")
        await visit.page.reload()
        await expect(visit.page.locator(PROSE)).to_have_text(answer_text)


@nightly
async def test_a_replay_of_a_real_answer_is_the_same_and_another_model_says_otherwise(studio: Site) -> None:
    async with signed_in(studio, max_tokens="24") as visit:
        page = visit.page
        await visit.ask("Tell a story about a lighthouse.")
        answer_text = await ended(page)
        await choose(page.locator(ANSWER), "Replay with the same seed")
        await expect(page.locator(".replayed")).to_have_text("The same answer, word for word.", timeout=SLOW)
        assert await ended(page) == answer_text
        await pick(page, "endless")
        await page.locator(ANSWER).get_by_label("Regenerate").click()
        await expect(page.locator(f"{ANSWER} .takes-place")).to_have_text("3 of 3")
        assert await ended(page) != answer_text
        await choose(page.locator(ANSWER), "Details")
        await expect(page.locator(".made dl")).to_contain_text("endless")


@nightly
async def test_a_real_answer_that_was_cut_goes_on_as_if_it_had_not_been(studio: Site) -> None:
    async with signed_in(studio, temperature="0", max_tokens="8") as visit:
        page = visit.page
        await visit.ask("Tell a story about a lighthouse.")
        cut = await ended(page)
        await page.locator(ANSWER).get_by_role("button", name="Continue", exact=True).click()
        await expect(page.locator(f"{ANSWER} .figures")).to_contain_text("16 tokens", timeout=SLOW)
        whole = await ended(page)
        assert whole.startswith(cut) and whole != cut
        await page.click("#settings-button")
        await page.get_by_label("Maximum length").fill("16")
        await page.keyboard.press("Escape")
        await page.locator(ANSWER).get_by_role("button", name="Regenerate", exact=True).click()
        await expect(page.locator(f"{ANSWER} .takes-place")).to_have_text("2 of 2")
        assert await ended(page) == whole


async def compare(visit: Visit, models: tuple[str, str], promise: str) -> list[str]:
    """Ask two models side by side; their answers, once the page has stored them."""
    page = visit.page
    await page.get_by_role("button", name="Compare models…").click()
    for box in await page.locator("#comparison input[type=checkbox]").all():
        await box.uncheck()
    for model in models:
        await page.get_by_role("checkbox", name=model, exact=True).check()
    await page.get_by_role("button", name="Compare", exact=True).click()
    await visit.ask("What is the capital of France?")
    await expect(page.locator("#toast")).to_contain_text(promise)
    columns = page.locator(".columns > .message")
    await expect(columns).to_have_count(2)
    for column in await columns.all():
        await expect(column).to_have_attribute("data-status", "done", timeout=SLOW)
    return await columns.locator("> .prose").all_inner_texts()


@nightly
async def test_two_real_models_answer_side_by_side(studio: Site) -> None:
    async with signed_in(studio, max_tokens="12") as visit:
        texts = await compare(visit, (STARTER, "endless"), "They answer at the same time")
        assert texts[0] != texts[1]


@nightly
async def test_each_tokens_alternatives_are_shown(studio: Site) -> None:
    async with signed_in(studio, temperature="0", probabilities="on") as visit:
        page = visit.page
        await visit.ask("What is the capital of France?")
        answer_text = await ended(page)
        await choose(page.locator(ANSWER), "Token probabilities")
        token = page.locator(".token").filter(has_text="Paris").first
        await token.hover()
        response = page.locator(".probabilities .others")
        await expect(response).to_contain_text(
            re.compile(r"“ ?Paris” [\d.]+ ?%\. Alternatives: “ ?Paris” [\d.]+ ?%, “")
        )
        assert "".join(await page.locator(".token").all_inner_texts()).strip() == answer_text.strip()
        await token.focus()
        await page.keyboard.press("Tab")
        await expect(response).not_to_contain_text(re.compile("^“ ?Paris”"))


@nightly
async def test_an_answer_follows_the_schema_of_the_settings(studio: Site) -> None:
    city = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    }
    async with signed_in(studio, temperature="0", schema=json.dumps(city)) as visit:
        await visit.ask("What is the capital of France?")
        answer: Any = json.loads(await ended(visit.page))
        assert set(answer) == {"city"}


@nightly
async def test_a_model_that_was_unloaded_is_loaded_again_before_your_eyes(studio: Site) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(headers=headers) as client:
        await client.post(f"{studio.url}/api/models/unload", json={"model": STARTER})
    async with signed_in(studio, temperature="0", max_tokens="8") as visit:
        seen: list[str] = []
        await visit.page.expose_function("seen", lambda text: seen.append(text))
        await visit.page.evaluate(WATCH)
        await visit.ask("What is the capital of France?")
        await ended(visit.page)
        assert any(re.search(r"Loading .*%|Loading", text) for text in seen), seen[:20]


@nightly
async def test_the_gauge_counts_with_the_models_own_tokenizer(studio: Site, tmp_path: Path) -> None:
    file = tmp_path / "primes.txt"
    file.write_text("two three five seven eleven")
    async with signed_in(studio, max_tokens="4") as visit:
        await visit.ask("Hello")
        await ended(visit.page)
        before = await visit.page.locator("#gauge").inner_text()
        await visit.page.fill("#prompt", "one two three four five six seven")
        await expect(visit.page.locator("#gauge")).not_to_have_text(before)
        await visit.page.set_input_files("#attach-file", file)
        await expect(visit.page.locator("#attachments")).to_contain_text(re.compile(r"27 bytes · \d+ tokens"))
        await expect(visit.page.locator("#gauge")).to_have_text(re.compile(r"^[\d,]+ of [\d,]+ tokens$"))


@nightly  # the gate has the queue in tests/pool and its place in test_page_in_browser.py
async def test_a_pending_request_shows_its_place_and_models_that_do_not_fit_take_turns(narrow: Site) -> None:
    async with visiting(f"{narrow.url}/") as visit:
        pages = [visit.page, *[await visit.page.context.new_page() for _ in range(2)]]
        for page, response in zip(pages, ("", "Queued…", "Queued: 1 before you…"), strict=True):
            await page.goto(f"{narrow.url}/")
            await expect(page.locator(".picker-name")).to_have_text(STARTER)
            await page.fill("#prompt", "Write a very long story about a lighthouse.")
            await page.press("#prompt", "Enter")
            if response:
                await expect(page.locator(ANSWER)).to_contain_text(response)
            else:
                await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
        for page in pages:
            await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
            await page.keyboard.press("Escape")
            await ended(page, "stopped")
        page = visit.page
        await page.click("#new-chat")
        await page.click("#settings-button")
        await page.get_by_label("Maximum length").fill("8")
        await page.keyboard.press("Escape")
        await compare(visit, (STARTER, TWIN), "They answer in turn")

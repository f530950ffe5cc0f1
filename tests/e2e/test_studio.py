"""The studio with real models behind it: two users in two browsers, reloads, takes, comparisons, figures."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.e2e.login import sign_in
from tests.e2e.site import ROOT, STARTER, TWIN, Site, fresh_dir, narrow_site
from tests.e2e.test_operating import choose, confirm
from tests.playground.site import Visit, visiting
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
ANSWER = ".message.is-assistant:last-child"
WORDS = f"{ANSWER} > .words"
KEY = "sesame-of-the-studio"
SLOW = 120_000
ASK_EACH = """asked => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  return Promise.all(asked.map(async ([method, address]) => {
    const body = method === "PATCH" ? '{"title": "mine now"}' : undefined;
    return (await fetch(address, { method, headers, body })).status;
  }));
}"""
WATCH = """() => {
  const thread = document.querySelector("#thread");
  const watch = { subtree: true, childList: true, characterData: true };
  new MutationObserver(() => seen(thread.innerText)).observe(thread, watch);
}"""
MAKE_USERS = """
from django.contrib.auth.models import User
for name in ("ann", "bob"):
    User.objects.create_user(name, password=f"{name} and her cat")
"""


@pytest.fixture(scope="module")
def studio(models_dir: Path) -> Iterator[Site]:
    """A site whose users sign in, with the real starter model and one that never stops talking."""
    folder = fresh_dir()
    shutil.copytree(models_dir, folder / "models", copy_function=os.link)
    never_ends(make_tiny_model(folder / "models" / "endless"))
    with Site(folder, "--no-starter", env={"MLX_SERVER_API_KEY": KEY, "MLX_SERVER_TITLES": "false"}) as site:
        site.wait_ready(60)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", MAKE_USERS], cwd=ROOT, env=site._env, check=True
        )
        yield site
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def narrow(models_dir: Path) -> Iterator[Site]:
    """A site with room for one of its two real models, which answers one question at a time."""
    with narrow_site(models_dir, MLX_SERVER_MAX_BATCH="1", MLX_SERVER_TITLES="false") as site:
        yield site


@asynccontextmanager
async def signed_in(studio: Site, name: str = "ann", **wishes: str) -> AsyncIterator[Visit]:
    """A browser of this user's own, with these settings."""
    remembered = {"mlxsite.model": json.dumps(STARTER), "mlxsite.settings": json.dumps(wishes)}
    stored = [{"name": name, "value": value} for name, value in remembered.items()]
    state = {
        "cookies": studio.cookies.get(name, []),
        "origins": [{"origin": studio.url, "localStorage": stored}],
    }
    async with visiting(f"{studio.url}/", storage_state=state) as visit:
        await sign_in(visit.page, studio, "/", name, f"{name} and her cat")
        await expect(visit.page.locator(".picker-name")).to_have_text(STARTER)
        yield visit


async def pick(page: Page, model: str) -> None:
    await page.click("#picker-button")
    await page.locator(".option").filter(has_text=model).click()
    await expect(page.locator(".picker-name")).to_have_text(model)


async def ended(page: Page, status: str = "done") -> str:
    await expect(page.locator(ANSWER)).to_have_attribute("data-status", status, timeout=SLOW)
    return await page.locator(WORDS).inner_text()


async def test_two_users_never_meet(studio: Site) -> None:
    # Long enough for all that follows, and not for ever, should the rest of it fail.
    hers_is_long = {"temperature": "0", "max_tokens": "1500"}
    async with signed_in(studio, **hers_is_long) as ann, signed_in(studio, "bob", temperature="0") as bob:
        await ann.ask("Write a very long story about Ann's secret lighthouse.")
        await expect(ann.page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
        hers = ann.page.url
        await bob.ask("What is the capital of France?")
        assert "Paris" in await ended(bob.page)
        await expect(bob.page.locator("#sidebar")).not_to_contain_text("lighthouse")
        await bob.page.goto(hers)
        await expect(bob.page.locator("#toast")).to_contain_text("no such conversation")
        assert await told_at_her_addresses(bob.page, hers, await answers_id(ann.page)) == {404}
        await expect(ann.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await ann.page.keyboard.press("Escape")
        await ended(ann.page, "stopped")
        await expect(ann.page.locator("#sidebar")).not_to_contain_text("capital of France")
        assert ann.complaints == []


async def answers_id(page: Page) -> int:
    conversation = page.url.rsplit("/", 1)[1]
    told = await page.evaluate(f"fetch('/chat/conversations/{conversation}/').then(r => r.json())")
    return max(int(message["id"]) for message in told["messages"])


async def told_at_her_addresses(page: Page, address: str, message: int) -> set[int]:
    """The statuses that somebody else's browser is answered with, at each address with an id in it."""
    conversation = f"/chat/conversations/{address.rsplit('/', 1)[1]}"
    asked = [
        ("GET", f"{conversation}/"),
        ("PATCH", f"{conversation}/"),
        ("DELETE", f"{conversation}/"),
        ("POST", f"{conversation}/restore/"),
        ("POST", f"{conversation}/share/"),
        ("DELETE", f"{conversation}/share/"),
        ("GET", f"{conversation}.json"),
        ("GET", f"{conversation}.md"),
        ("GET", f"/chat/messages/{message}/events/"),
        ("POST", f"/chat/messages/{message}/stop/"),
    ]
    statuses = await page.evaluate(ASK_EACH, asked)
    return set(statuses)


async def test_a_stranger_has_to_sign_in(studio: Site) -> None:
    async with visiting(f"{studio.url}/") as visit:
        await expect(visit.page).to_have_url(re.compile("/login/"))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{studio.url}/chat/conversations/")).status_code == 401


async def test_an_accounts_groups_say_what_it_may(studio: Site) -> None:
    async with visiting(f"{studio.url}/") as operator:
        await sign_in(operator.page, studio)
        await make_account(operator.page, studio, "carol")
        async with signed_in(studio, "carol", max_tokens="8") as carol:
            page, admin = carol.page, await carol.page.context.new_page()
            await carol.ask("Hello")
            await ended(page)
            await move(operator.page, "staff", "to")
            await choose(admin, studio, "endless", "load")
            await confirm(admin, "endless", "ready")
            assert await status_of(admin, f"{studio.url}/admin/auth/user/") == 403
            assert carol.complaints == []
            await move(operator.page, "staff", "from")
            await move(operator.page, "member", "from")
            await admin.goto(f"{studio.url}/admin/inference/servedmodel/")
            await expect(admin.locator("body")).to_contain_text("not authorized to access this page")
            await carol.ask("Are you still there?")  # on a page that was open before
            await expect(page.locator("#toast")).to_contain_text("The account carol may not chat here.")
            assert await status_of(page, f"{studio.url}/") == 403
            await expect(page.get_by_role("heading")).to_have_text("This account may not chat")
            await expect(page.locator("body")).to_contain_text("can put it in the group “member”")
        assert (operator.complaints, operator.elsewhere) == ([], [])


async def make_account(page: Page, site: Site, name: str) -> None:
    """Make an account as the admin has it made; its page with its groups comes next."""
    await page.goto(f"{site.url}/admin/auth/user/add/")
    await page.fill("#id_username", name)
    for field in ("#id_password1", "#id_password2"):
        await page.fill(field, f"{name} and her cat")
    await page.click("input[name=_save]")
    await expect(page.locator(".messagelist")).to_contain_text("was added successfully")


async def move(page: Page, group: str, where: str) -> None:
    """On an account's page, choose a group ("to") or take it out ("from")."""
    other = {"to": "from", "from": "to"}[where]
    await page.locator(f"#id_groups_{other} option", has_text=group).dblclick()
    await expect(page.locator(f"#id_groups_{where} option", has_text=group)).to_have_count(1)
    await page.click("input[name=_continue]")
    await expect(page.locator(".messagelist")).to_contain_text("was changed successfully")


async def status_of(page: Page, address: str) -> int:
    response = await page.goto(address)
    assert response
    return response.status


async def test_a_shared_answer_is_read_by_another_user(studio: Site) -> None:
    async with signed_in(studio, temperature="0") as ann, signed_in(studio, "bob", temperature="0") as bob:
        await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await ann.ask("What is the capital of France?")
        said = await ended(ann.page)
        await ann.page.locator(".row").first.hover()
        await ann.page.get_by_label(re.compile("More about What is the capital")).first.click()
        await ann.page.get_by_role("menuitem", name="Share with users of this site").click()
        await expect(ann.page.locator("#toast")).to_contain_text("The link was copied")
        await bob.page.goto(await ann.page.evaluate("navigator.clipboard.readText()"))
        await expect(bob.page.locator(WORDS)).to_have_text(said)
        await expect(bob.page.locator("#prompt")).to_be_hidden()


async def test_a_real_answer_goes_on_through_a_reload(studio: Site) -> None:
    async with signed_in(studio, temperature="0", max_tokens="80") as visit:
        await visit.ask("Tell a story about a lighthouse.")
        await expect(visit.page.locator(WORDS)).to_contain_text(re.compile(r"\w+ \w+"), timeout=SLOW)
        await visit.page.reload()
        await expect(visit.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        said = await ended(visit.page)
        await visit.page.get_by_text("How it was made").click()
        await expect(visit.page.locator(".made dl")).to_contain_text("80 tokens")
        await visit.page.reload()
        await expect(visit.page.locator(WORDS)).to_have_text(said)


async def test_a_replay_of_a_real_answer_is_the_same_and_another_model_says_otherwise(studio: Site) -> None:
    async with signed_in(studio, max_tokens="24") as visit:
        page = visit.page
        await visit.ask("Tell a story about a lighthouse.")
        said = await ended(page)
        await page.get_by_label("Replay with the same seed").click()
        await expect(page.locator(".replayed")).to_have_text(
            "The same answer again, word for word.", timeout=SLOW
        )
        assert await ended(page) == said
        await pick(page, "endless")
        await page.locator(ANSWER).get_by_label("Answer again").click()
        await expect(page.locator(f"{ANSWER} .takes-place")).to_have_text("3 of 3")
        assert await ended(page) != said
        await page.get_by_text("How it was made").click()
        await expect(page.locator(".made dl")).to_contain_text("endless")


async def compare(visit: Visit, models: tuple[str, str], promise: str) -> list[str]:
    """Ask two models side by side; what they said, once the page has kept what it promised."""
    page = visit.page
    await page.click("#picker-button")
    for model in models:
        await page.get_by_label(f"Compare {model}").check()
    await page.keyboard.press("Escape")
    await visit.ask("What is the capital of France?")
    await expect(page.locator("#toast")).to_contain_text(promise)
    columns = page.locator(".columns > .message")
    await expect(columns).to_have_count(2)
    for column in await columns.all():
        await expect(column).to_have_attribute("data-status", "done", timeout=SLOW)
    return await columns.locator("> .words").all_inner_texts()


async def test_two_real_models_answer_side_by_side(studio: Site) -> None:
    async with signed_in(studio, max_tokens="12") as visit:
        texts = await compare(visit, (STARTER, "endless"), "so they answer at once")
        assert texts[0] != texts[1]


async def test_each_words_alternatives_are_shown(studio: Site) -> None:
    async with signed_in(studio, temperature="0", probabilities="on") as visit:
        page = visit.page
        await visit.ask("What is the capital of France?")
        said = await ended(page)
        await page.locator(ANSWER).get_by_label("Token probabilities").click()
        token = page.locator(".token").filter(has_text="Paris").first
        await token.hover()
        told = page.locator(".probabilities .others")
        await expect(told).to_contain_text(
            re.compile(r"“ ?Paris” [\d.]+ ?%\. Likeliest: “ ?Paris” [\d.]+ ?%, “")
        )
        assert "".join(await page.locator(".token").all_inner_texts()).strip() == said.strip()
        await token.focus()
        await page.keyboard.press("Tab")
        await expect(told).not_to_contain_text(re.compile("^“ ?Paris”"))


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


async def test_the_gauge_counts_with_the_models_own_tokenizer(studio: Site) -> None:
    async with signed_in(studio, max_tokens="4") as visit:
        await visit.ask("Hello")
        await ended(visit.page)
        before = await visit.page.locator("#gauge").inner_text()
        await visit.page.fill("#prompt", "one two three four five six seven")
        await expect(visit.page.locator("#gauge")).not_to_have_text(before)


async def test_who_waits_is_told_the_place_and_models_without_room_take_turns(narrow: Site) -> None:
    async with visiting(f"{narrow.url}/") as visit:
        pages = [visit.page, *[await visit.page.context.new_page() for _ in range(2)]]
        for page, told in zip(
            pages, ("", "Waiting for a free place…", "Waiting: 1 before you…"), strict=True
        ):
            await page.goto(f"{narrow.url}/")
            await expect(page.locator(".picker-name")).to_have_text(STARTER)
            await page.fill("#prompt", "Write a very long story about a lighthouse.")
            await page.press("#prompt", "Enter")
            if told:
                await expect(page.locator(ANSWER)).to_contain_text(told)
            else:
                await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
        for page in pages:
            await expect(page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
            await page.keyboard.press("Escape")
            await ended(page, "stopped")
        page = visit.page
        await page.click("#settings-button")
        await page.get_by_label("Maximum length").fill("8")
        await page.keyboard.press("Escape")
        await page.click("#new-chat")
        await compare(visit, (STARTER, TWIN), "so they answer in turn")

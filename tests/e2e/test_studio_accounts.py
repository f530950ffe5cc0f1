"""The studio's accounts with a real site: two users in two browsers, groups, strangers, shared answers."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.e2e import studio as users_studio
from tests.e2e.login import sign_in
from tests.e2e.model_list import choose, confirm
from tests.e2e.site import Site
from tests.e2e.studio import ANSWER, KEY, PROSE, SLOW, USERS, ended, site_of_users
from tests.nightly import nightly
from tests.playground.site import visiting

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
ASK_EACH = """asked => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  return Promise.all(asked.map(async ([method, address]) => {
    const body = method === "PATCH" ? '{"title": "mine now"}' : undefined;
    return (await fetch(address, { method, headers, body })).status;
  }));
}"""
signed_in = partial(users_studio.signed_in, model="endless")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("data")
    with site_of_users(folder, *USERS) as site:
        yield site


@nightly
async def test_two_users_never_meet(studio: Site) -> None:
    # Long enough for all that follows, and not for ever, should the rest of it fail.
    hers_is_long = {"temperature": "0", "max_tokens": "1500"}
    async with (
        signed_in(studio, "dora", **hers_is_long) as dora,
        signed_in(studio, "bob", max_tokens="24") as bob,
    ):
        await dora.ask("Write a very long story about Dora's secret lighthouse.")
        await expect(dora.page.locator(ANSWER)).to_have_attribute("data-status", "streaming", timeout=SLOW)
        hers = dora.page.url
        await bob.ask("What is the capital of France?")
        await ended(bob.page)
        await expect(bob.page.locator("#sidebar")).not_to_contain_text("lighthouse")
        await bob.page.goto(hers)
        await expect(bob.page.locator("#toast")).to_contain_text("no such conversation")
        assert await statuses_at(bob.page, hers, await answers_id(dora.page)) == {404}
        await expect(dora.page.locator(ANSWER)).to_have_attribute("data-status", "streaming")
        await dora.page.keyboard.press("Escape")
        await ended(dora.page, "stopped")
        await expect(dora.page.locator("#sidebar")).not_to_contain_text("capital of France")
        assert dora.complaints == []


async def answers_id(page: Page) -> int:
    conversation = page.url.rsplit("/", 1)[1]
    answer = await page.evaluate(f"fetch('/chat/conversations/{conversation}/').then(r => r.json())")
    return max(int(message["id"]) for message in answer["messages"])


async def statuses_at(page: Page, address: str, message: int) -> set[int]:
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


@nightly
async def test_a_stranger_has_to_sign_in(studio: Site) -> None:
    async with visiting(f"{studio.url}/") as visit:
        await expect(visit.page).to_have_url(re.compile("/login/"))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{studio.url}/chat/conversations/")).status_code == 401


@nightly
async def test_an_accounts_groups_say_what_it_may(studio: Site) -> None:
    async with visiting(f"{studio.url}/") as operator:
        await sign_in(operator.page, studio)
        await make_account(operator.page, studio, "carol")
        async with signed_in(studio, "carol", max_tokens="8") as carol:
            page, admin = carol.page, await carol.page.context.new_page()
            await carol.ask("Hello")
            await ended(page)
            await move(operator.page, "staff", "to")
            await unload(studio, "endless")  # should another test have it in memory
            await choose(admin, studio, "endless", "load")
            await confirm(admin, "endless", "ready")
            assert await status_of(admin, f"{studio.url}/admin/auth/user/") == 403
            assert carol.complaints == []
            await move(operator.page, "staff", "from")
            await move(operator.page, "member", "from")
            await admin.goto(f"{studio.url}/admin/inference/servedmodel/")
            await expect(admin.locator("body")).to_contain_text("not authorized to access this page")
            await carol.ask("Are you still there?")  # on a page that was open before
            await expect(page.locator("#toast")).to_contain_text(
                "The account carol has no permission to chat."
            )
            assert await status_of(page, f"{studio.url}/") == 403
            await expect(page.get_by_role("heading")).to_have_text("This account has no permission to chat")
            await expect(page.locator("body")).to_contain_text("the role “may chat”")
        assert (operator.complaints, operator.elsewhere) == ([], [])


async def unload(site: Site, model: str) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as client:
        answer = await client.post(f"{site.url}/api/models/unload", json={"model": model})
        assert answer.status_code < 300, answer.text


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
    await page.get_by_text("Individual permissions").click()
    await page.locator("#id_groups").get_by_label(group, exact=True).set_checked(where == "to")
    await page.click("input[name=_continue]")
    await expect(page.locator(".messagelist")).to_contain_text("was changed successfully")


async def status_of(page: Page, address: str) -> int:
    response = await page.goto(address)
    assert response
    return response.status


@nightly
async def test_a_shared_answer_is_read_by_another_user(studio: Site) -> None:
    async with signed_in(studio, max_tokens="8") as ann, signed_in(studio, "bob") as bob:
        await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await ann.ask("What is the capital of France?")
        text = await ended(ann.page)
        await ann.page.locator(".row").first.hover()
        await ann.page.get_by_label(re.compile("More about What is the capital")).first.click()
        await ann.page.get_by_role("menuitem", name="Share with users of this site").click()
        await expect(ann.page.locator("#toast")).to_contain_text("The link was copied")
        await bob.page.goto(await ann.page.evaluate("navigator.clipboard.readText()"))
        await expect(bob.page.locator(PROSE)).to_have_text(text)
        await expect(bob.page.locator("#prompt")).to_be_hidden()

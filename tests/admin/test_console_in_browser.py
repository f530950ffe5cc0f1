"""The admin in Chromium: accessible light and dark, cards on a phone, local times, buttons in rows."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.admin.console_site import OPERATOR, PASSWORD, QWEN
from tests.nightly import nightly, of_each_kind
from tests.playground.scripted_downloads import MODEL as DOWNLOADED
from tests.playground.site import Visit, fake_site, set_download, visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
LISTS = {
    "models": "inference/servedmodel/",
    "requests": "inference/requestrecord/",
    "keys": "inference/apikey/",
    "users": "auth/user/",
    "events": "inference/poolevent/",
    "upstreams": "inference/upstream/",
}
PAGES = LISTS | {
    "index": "",
    "form": "inference/apikey/add/",
    "upstream": "inference/upstream/1/change/",
    "account": "auth/user/1/change/",
    "rights": "auth/group/1/change/",
    "history": "auth/user/1/history/",
    "deletion": "auth/group/1/delete/",
    "downloads": "inference/download/",
    "discover": "inference/download/discover/",
    "connect": "connect/?client=zed",
    "request": "inference/requestrecord/1/change/",
    "usage": "inference/usagehour/?range=24h",
    "log": "inference/logline/",
    "health": "inference/healthcheck/",
    "password": "auth/user/1/password/",
    "gguf": "inference/download/gguf/",
    "quantisations": "inference/quantisation/",
    "captures": "inference/capture/",
    "capture": "inference/capture/add/",
    "groups": "auth/group/",
    "attempts": "inference/signinattempts/",
    "responses": "inference/storedresponse/",
    "conversations": "inference/storedconversation/",
    "model": "inference/servedmodel/1/change/",
    "key": "inference/apikey/1/change/",
    "renewal": "inference/apikey/1/renew/",
    "new account": "auth/user/add/",
    "event": "inference/poolevent/1/change/",
    "nothing": "inference/nothing/",
}
# The other lists and forms have the same templates.
OF_EACH_TEMPLATE = [
    "models",
    "requests",
    "index",
    "form",
    "account",
    "history",
    "deletion",
    "downloads",
    "password",
]
LIGHT: dict[str, Any] = {"color_scheme": "light"}
DARK: dict[str, Any] = {"color_scheme": "dark"}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}
DARK_PHONE = PHONE | DARK
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TARGETS = "main :is(.button, button, input[type=submit], summary, .choices a), .site-header .tool"
SMALL = """targets => [...document.querySelectorAll(targets)]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 40)
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def console() -> Iterator[str]:
    with fake_site(models="pictured", module="tests.admin.console_site") as address:
        yield address


@asynccontextmanager
async def operating(console: str, **options: Any) -> AsyncIterator[Visit]:
    """The operator's browser, at the index of the admin."""
    async with visiting(f"{console}admin/login/", reduced_motion="reduce", **options) as visit:
        await visit.page.fill("#id_username", OPERATOR)
        await visit.page.fill("#id_password", PASSWORD)
        await visit.page.press("#id_password", "Enter")
        await visit.page.wait_for_url(f"{console}admin/")
        yield visit


async def show(page: Page, console: str, path: str) -> None:
    await page.goto(f"{console}admin/{path}", wait_until="domcontentloaded")
    await page.wait_for_function("!document.querySelector('#theme[hidden]')")


# What the widest rows have: a pinned model that is loaded, of many gigabytes, whose context is limited.
WIDEN = """() => {
  for (const row of document.querySelectorAll("#result_list tbody tr")) {
    row.querySelector("[data-memory]").textContent = "needs 122.2 GB";
    row.querySelector("td.field-context").innerHTML =
      '6,000 of 131,072: memory<span class="quiet">fits: 4,096 now, 131,072 alone</span>';
    row.querySelector("[value^=pin]").textContent = "Unpin";
  }
  return [...document.querySelectorAll(".row-acts")].map(one => [
    one.getBoundingClientRect().right <= document.querySelector(".results").getBoundingClientRect().right,
    one.scrollWidth <= one.clientWidth,
  ]);
}"""


@nightly
@pytest.mark.parametrize("width", of_each_kind([1024, 1280], [1024]))
async def test_no_button_of_a_model_is_cut(console: str, width: int) -> None:
    async with operating(console, viewport={"width": width, "height": 900}) as visit:
        await show(visit.page, console, "inference/servedmodel/")
        assert await visit.page.evaluate(WIDEN) == [[True, True]] * 5


@pytest.mark.parametrize("view", of_each_kind([LIGHT, DARK, PHONE, DARK_PHONE], [DARK]))
async def test_axe_finds_nothing_on_any_kind_of_page(console: str, view: dict[str, Any]) -> None:
    async with visiting(f"{console}admin/login/", **view) as visit:
        assert await complaints(visit.page) == []
    async with operating(console, **view) as visit:
        found = {}
        for name in of_each_kind(PAGES, OF_EACH_TEMPLATE):
            await show(visit.page, console, PAGES[name])
            found[name] = await complaints(visit.page)
        await show(visit.page, console, LISTS["keys"])
        await visit.page.get_by_role("button", name="Revoke build server").click()
        found["question"] = await complaints(visit.page)
        assert {name: wrong for name, wrong in found.items() if wrong} == {}


async def test_on_a_phone_rows_are_cards_and_nothing_scrolls_sideways(console: str) -> None:
    async with operating(console, **PHONE) as visit:
        page = visit.page
        for name in of_each_kind(PAGES, OF_EACH_TEMPLATE):
            await show(page, console, PAGES[name])
            assert (name, await page.evaluate(TOO_WIDE), await page.evaluate(SMALL, TARGETS)) == (name, 0, [])
        await show(page, console, LISTS["models"])
        label = "cell => getComputedStyle(cell, '::before').content"
        cell = page.locator("#result_list td.field-state").first
        assert await cell.evaluate(label) == '"State"'
        await page.get_by_role("button", name="Pages of the admin").tap()
        await page.locator("#admin-nav").get_by_role("link", name="API keys").tap()
        await expect(page.get_by_role("heading", name="API keys", level=1)).to_be_visible()


async def test_times_are_the_visitors_own_with_utc_in_their_titles(console: str) -> None:
    async with operating(console, timezone_id="Asia/Kolkata") as visit:
        await show(visit.page, console, LISTS["requests"])
        time = visit.page.locator("#result_list time").first
        utc = await time.get_attribute("datetime") or ""
        local = datetime.fromisoformat(utc) + timedelta(hours=5, minutes=30)
        await expect(time).to_have_text(f"{local:%Y-%m-%d %H:%M:%S}")
        await expect(time).to_have_attribute("title", f"{utc[:10]} {utc[11:19]} UTC")
    async with operating(console, java_script_enabled=False) as visit:
        await visit.page.goto(f"{console}admin/{LISTS['requests']}")
        await expect(visit.page.locator("#result_list time").first).to_have_text(re.compile(r":\d\d UTC$"))


async def test_a_rows_buttons_act_at_once_and_lead_to_a_chat(console: str) -> None:
    async with operating(console) as visit:
        page = visit.page
        await show(page, console, LISTS["models"])
        await page.get_by_role("button", name=f"Pin {QWEN}", exact=True).click()
        await expect(page.locator(".messagelist")).to_have_text(f"Pinned {QWEN}.")
        await page.get_by_role("button", name=f"Unpin {QWEN}", exact=True).click()
        await page.get_by_role("button", name=f"Unload {QWEN}", exact=True).click()
        await expect(page.locator(".messagelist")).to_contain_text(f"Unloading {QWEN}")
        load = page.get_by_role("button", name=f"Load {QWEN}", exact=True)
        await load.click()  # the script shows it once the model is unloaded
        await expect(page.locator(".messagelist")).to_contain_text(f"Loading {QWEN}.")
        await expect(page.get_by_role("button", name=f"Unload {QWEN}", exact=True)).to_be_visible()
        await page.get_by_role("link", name=f"Chat {QWEN}").click()
        await expect(page.locator(".picker-name")).to_have_text(QWEN)
        assert page.url == console
        assert visit.complaints == []


@nightly
async def test_on_a_phone_the_line_about_a_download_fits_and_leads_to_a_chat(console: str) -> None:
    async with operating(console, **PHONE) as visit:
        page = visit.page
        try:
            await set_download(console, "running")
            await show(page, console, LISTS["models"])
            line = page.locator(f'[data-running="{DOWNLOADED}"]')
            await expect(line).to_contain_text(f"Downloading {DOWNLOADED}")
            assert (await page.evaluate(TOO_WIDE), await complaints(page)) == (0, [])
            await line.get_by_role("link").evaluate("link => { link.textContent = 'x'.repeat(193) }")
            assert await page.evaluate(TOO_WIDE) == 0
            await page.context.set_offline(True)
            await expect(line).to_contain_text("Not live: the server cannot be reached.")
            await page.context.set_offline(False)
            await set_download(console, "done")
            ended = page.locator("#ended-downloads")
            await expect(ended).to_contain_text("Downloaded")
            assert await page.evaluate(SMALL, "#ended-downloads .button") == []
            assert (await page.evaluate(TOO_WIDE), await complaints(page)) == (0, [])
            await ended.get_by_role("link", name="Chat now").tap()
            await expect(page.locator(".picker-name")).to_have_text(DOWNLOADED)
        finally:
            await set_download(console, "none")


async def test_a_double_click_makes_one_key(console: str) -> None:
    async with operating(console) as visit:
        page = visit.page
        await show(page, console, "connect/?client=codex")
        await page.get_by_role("button", name="Make a key").dblclick()
        await expect(page.locator("#connect-key")).to_have_value(re.compile("^mlx-"))
        await show(page, console, f"{LISTS['keys']}?q=Codex")
        await expect(page.locator("#result_list tbody tr")).to_have_count(1)
        assert visit.complaints == []

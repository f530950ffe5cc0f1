"""Chromium on the admin's dashboard, with a real worker: it follows a load and a request, and stops it."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from inference.admin.dashboard.consumer import MAX_SOCKETS, TOO_MANY
from inference.api.http.live_socket import MAX_MESSAGES, TOO_MANY_MESSAGES, UNAUTHORISED
from tests.e2e.login import sign_in
from tests.e2e.site import Site, fresh_dir
from tests.nightly import nightly, of_each_kind
from tests.playground.site import Visit, visiting
from tests.playground.test_accessible import AXE, RULES
from tests.tiny import make_tiny_model, never_ends

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
LONG = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "Hi"}],
    "max_tokens": 12_000,
    "stream": True,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def small_site() -> Iterator[Site]:
    """A site whose budget is so small that even a tiny model takes much of it."""
    folder = fresh_dir()
    never_ends(make_tiny_model(folder / "models" / "tiny", context=16_384))
    broken = make_tiny_model(folder / "models" / "mlx-community" / "Meta-Llama-3.1-405B-Instruct-8bit")
    (broken / "model.safetensors").write_bytes(b"")
    with Site(folder, "--no-starter", env={"MLX_SERVER_MEMORY_LIMIT": "200MB"}) as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def looking(site: Site, **options: object) -> AsyncIterator[Visit]:
    """Look at the dashboard as the operator."""
    async with visiting(f"{site.url}/admin/", **options) as visit:
        await sign_in(visit.page, site, "/admin/")
        await expect(visit.page.locator("#dashboard")).to_be_visible()
        yield visit


async def live(page: Page) -> None:
    await expect(page.locator("#dashboard-link")).to_have_text("live")


def rows(page: Page, name: str) -> Locator:
    return page.locator(f'[data-rows="{name}"] tbody tr')


async def width(page: Page, part: str) -> int:
    """How much of the bar a part takes, in thousandths."""
    return int(await page.locator(f'rect[data-part="{part}"]').get_attribute("width") or 0)


async def ask(site: Site) -> str:
    """Ask for a very long answer; all that came."""
    async with httpx.AsyncClient(timeout=120) as client:
        answer = await client.post(f"{site.url}/v1/chat/completions", json=LONG)
        return answer.text


async def test_the_bar_moves_with_a_load_and_a_request_is_stopped(small_site: Site) -> None:
    async with looking(small_site) as visit:
        page = visit.page
        await live(page)
        assert await width(page, "free") == 1000
        asking = asyncio.create_task(ask(small_site))
        await expect(rows(page, "streams")).to_contain_text("generating", timeout=60_000)
        assert await width(page, "kv") > 0 and await width(page, "weights") > 100
        await expect(rows(page, "models").first).to_contain_text("busy")
        await expect(rows(page, "workers").first).to_contain_text("tiny")
        await expect(rows(page, "events").first).to_contain_text("Loaded tiny")
        await rows(page, "streams").get_by_role("button", name="Stop").click()
        status = page.locator("#dashboard-link")
        await expect(status).to_have_text("The request was stopped.")
        await expect(rows(page, "streams")).to_have_count(0)
        assert "An operator of this server stopped this request." in await asking
        await expect(rows(page, "models").first).to_contain_text("ready")
        await expect(page.locator("#chart canvas")).to_be_visible()
        # Nobody points at the chart: it shows the newest sample.
        newest = re.compile(r"Time.*\d\d:\d\d.*GB held.*\d\.\d.*Tokens/s.*\d\.\d", re.DOTALL)
        await expect(page.locator("#chart .u-legend")).to_have_text(newest)
        await expect(status).to_have_text("live", timeout=30_000)  # what was done is not shown for ever
        assert visit.complaints == []


async def test_without_javascript_it_is_a_plain_page_that_stops_requests_too(small_site: Site) -> None:
    async with looking(small_site, java_script_enabled=False) as visit:
        page = visit.page
        asking = asyncio.create_task(ask(small_site))
        async with asyncio.timeout(60):
            while not await rows(page, "streams").count():
                await page.reload()
        await expect(page.locator("#chart svg")).to_be_visible()
        await rows(page, "streams").get_by_role("button", name="Stop").click()
        await expect(page.locator(".messagelist")).to_contain_text("The request is being stopped")
        assert "An operator of this server stopped this request." in await asking


async def test_a_lost_websocket_is_opened_again_and_receives_only_what_it_missed(small_site: Site) -> None:
    opened: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        opened.append(socket)
        socket.connect_to_server()

    async with looking(small_site) as visit:
        page = visit.page
        await live(page)  # with a socket that is not counted
        await page.route_web_socket(re.compile("/ws/dashboard/"), through)
        await page.reload()
        await live(page)
        await expect(page.locator("#chart canvas")).to_be_visible()
        await opened[0].close(code=4000, reason="lost")
        async with asyncio.timeout(30):
            while len(opened) < 2:
                await asyncio.sleep(0.05)
        await live(page)
        since = [float(socket.url.rpartition("=")[2]) for socket in opened]
        assert since[0] == 0 and since[1] > 1e9


@nightly
async def test_a_connection_that_went_away_unheard_is_opened_again(small_site: Site) -> None:
    opened: list[WebSocketRoute] = []

    def mute(socket: WebSocketRoute) -> None:
        opened.append(socket)
        socket.send('{"type": "dashboard"}')

    async with looking(small_site) as visit:
        page = visit.page
        await live(page)  # with a socket that is not counted
        await page.route_web_socket(re.compile("/ws/dashboard/"), mute)
        await page.clock.install()
        await page.reload()
        await live(page)
        await page.clock.run_for(5000)  # the clock goes on by itself beside that
        assert len(opened) == 1
        await page.clock.run_for(18_000)
        async with asyncio.timeout(30):
            while len(opened) < 2:
                await asyncio.sleep(0.05)
        await live(page)


@nightly
async def test_a_user_signed_out_elsewhere_is_notified(small_site: Site) -> None:
    async with looking(small_site) as visit:
        page = visit.page
        await live(page)
        asking = asyncio.create_task(ask(small_site))
        await expect(rows(page, "streams")).to_contain_text("generating", timeout=60_000)
        other = await page.context.new_page()
        await other.goto(f"{small_site.url}/admin/auth/user/")
        await other.get_by_role("button", name="Your account").click()
        await other.get_by_role("button", name="Sign out").click()
        await expect(other).to_have_url(f"{small_site.url}/")
        status = page.locator("#dashboard-link")
        await expect(status).to_have_text("You are signed out; reload the page to sign in again.")
        button = rows(page, "streams").get_by_role("button", name="Stop")
        await button.click()
        await expect(status).to_have_text("Sign in again to stop it.")
        await expect(button).to_be_enabled()
        assert not asking.done()
        asking.cancel()


OPEN = """async ({number, messages}) => {
  const codes = [];
  for (let made = 0; made < number; made += 1) {
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/dashboard/");
    codes.push(new Promise((end) => socket.addEventListener("close", ({ code }) => end(code))));
    await new Promise((go) => ["open", "error"].forEach((type) => socket.addEventListener(type, go)));
    for (let sent = 0; sent < messages; sent += 1) socket.send("x");
  }
  return await Promise.race(codes);
}"""


@nightly
async def test_a_browser_learns_why_its_socket_is_closed(small_site: Site) -> None:
    async with looking(small_site) as visit:
        page = visit.page
        await page.goto(f"{small_site.url}/admin/auth/")  # without a socket of its own
        assert await page.evaluate(OPEN, {"number": MAX_SOCKETS + 1, "messages": 0}) == TOO_MANY
        await page.reload()
        code = TOO_MANY
        async with asyncio.timeout(15):  # until the site has noticed that those before are gone
            while code == TOO_MANY:
                code = await page.evaluate(OPEN, {"number": 1, "messages": MAX_MESSAGES + 1})
        assert code == TOO_MANY_MESSAGES
        await page.context.clear_cookies()
        assert await page.evaluate(OPEN, {"number": 1, "messages": 0}) == UNAUTHORISED


@nightly
async def test_a_page_that_is_one_too_many_says_so_and_does_not_come_back(small_site: Site) -> None:
    opened: list[WebSocketRoute] = []

    async def refuse(socket: WebSocketRoute) -> None:
        opened.append(socket)
        await socket.close(code=TOO_MANY)

    async with looking(small_site) as visit:
        page = visit.page
        await live(page)  # with a socket that is not counted
        await page.route_web_socket(re.compile("/ws/"), refuse)
        await page.clock.install()
        for place, status in (("", "#dashboard-link"), ("inference/servedmodel/", "#models-link")):
            opened.clear()
            await page.goto(f"{small_site.url}/admin/{place}")
            message = "Too many pages are open; close one and reload."
            await expect(page.locator(status)).to_have_text(message)
            await page.clock.run_for(60_000)
            assert len(opened) == 1


@nightly
async def test_the_list_of_models_follows_too(small_site: Site) -> None:
    async with looking(small_site) as visit:
        page = visit.page
        await operate(small_site, "unload")
        await page.goto(f"{small_site.url}/admin/inference/servedmodel/")
        row = page.locator("tr", has=page.locator('[data-state="tiny"]'))
        await expect(row.locator('[data-state="tiny"]')).to_have_text("unloaded")
        await operate(small_site, "load")
        await expect(row.locator('[data-state="tiny"]')).to_have_text("ready", timeout=60_000)
        await expect(row.locator(".field-works")).to_have_text(re.compile("^Works"))
        await expect(row.get_by_role("button", name="Unload tiny")).to_be_visible()
        assert visit.complaints == []


@pytest.mark.parametrize("scheme", of_each_kind(["light", "dark"], ["dark"]))
async def test_it_can_be_read_by_everybody(small_site: Site, scheme: str) -> None:
    async with looking(small_site, color_scheme=scheme) as visit:
        await live(visit.page)
        await visit.page.evaluate(AXE)
        found = await visit.page.evaluate("rules => axe.run('#dashboard', rules)", RULES)
        assert [(one["help"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []


@pytest.mark.parametrize("width", of_each_kind([360, 390], [360]))
async def test_it_fits_a_phone(small_site: Site, width: int) -> None:
    async with looking(small_site, viewport={"width": width, "height": 800}) as visit:
        page = visit.page
        await live(page)
        await operate(small_site, "load")
        await operate(small_site, "pin")  # the page receives it while it is open
        await expect(rows(page, "models").first).to_contain_text("ready", timeout=60_000)
        await expect(rows(page, "models").first.locator("small")).to_have_text("pinned")
        await expect(rows(page, "models").filter(has_text="cannot be served")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        for part in await page.locator("#dashboard .module").all():
            is_whole = await part.evaluate("node => node.scrollWidth <= node.clientWidth")
            assert is_whole, await part.inner_text()
        for button in await page.locator("#dashboard button").all():
            box = await button.bounding_box()
            assert box and box["x"] + box["width"] <= width - 10, await button.inner_text()
        await operate(small_site, "unpin")
        await expect(rows(page, "models").first.locator("small")).to_have_count(0)


async def operate(site: Site, what: str) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(f"{site.url}/api/models/{what}", json={"model": "tiny"})
        assert answer.is_success, answer.text

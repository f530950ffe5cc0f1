"""What the playground says while its server is away or its model is gone, and how both come back."""

import asyncio
import contextlib
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import WebSocketRoute, expect

from inference.api.http.live_socket import UNAUTHORISED
from tests.nightly import nightly, of_each_kind
from tests.playground.site import fake_site, free_port, visiting
from tests.playground.test_accessible import complaints

pytestmark = pytest.mark.browser
AWAY = "The server cannot be reached; trying again"


@nightly
@pytest.mark.parametrize("width", of_each_kind([390, 1280], [390]))
async def test_a_server_that_ends_is_reported_and_comes_back_by_itself(width: int) -> None:
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        with fake_site(port) as address:
            visit = await stack.enter_async_context(
                visiting(address, viewport={"width": width, "height": 800})
            )
            page = visit.page
            state, line = page.locator(".picker-state"), page.get_by_role("status").filter(has_text=AWAY)
            await expect(state).to_have_text("ready")
            await page.fill("#prompt", "Half a thought")
        await expect(line).to_be_in_viewport(ratio=1)
        await expect(state).to_have_text("not connected")
        assert await complaints(page) == []
        await page.press("#prompt", "Enter")
        await expect(page.locator("#prompt")).to_have_value("Half a thought")
        await page.locator("#prompt").press_sequentially(" echo")
        with fake_site(port):
            await expect(state).to_have_text("ready")
            await expect(line).to_have_count(0)
            await expect(page.locator("#toast")).to_contain_text("The server is back")
            await expect(page.locator("#toast")).not_to_contain_text("Is it still running?")
            await page.press("#prompt", "Enter")
            await expect(page.locator(".message.is-assistant")).to_contain_text("user: Half a thought echo")


async def test_a_connection_that_is_back_at_once_is_not_spoken_of(address: str) -> None:
    opened: list[WebSocketRoute] = []
    is_back = asyncio.Event()

    async def drop_the_first(socket: WebSocketRoute) -> None:
        opened.append(socket)
        if len(opened) == 1:
            await socket.close(code=1001)
            return
        server = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            socket.send(message)
            is_back.set()

        server.on_message(pass_on)

    async with visiting(address) as visit:
        page = visit.page
        await page.route_web_socket(re.compile("/ws/models/"), drop_the_first)
        await page.clock.install()
        await page.clock.pause_at(
            datetime.now() + timedelta(hours=1)
        )  # or a slow machine would be away too long
        await page.reload()
        while len(opened) < 2:
            await page.clock.run_for(10)
        await is_back.wait()
        await expect(page.locator(".picker-state")).to_have_text("ready")
        await expect(page.locator("#toast")).to_be_hidden()  # it would say that the server is back
        await page.clock.run_for(60_000)
        await expect(page.locator("#trouble")).to_be_empty()
        assert len(opened) == 2


async def test_a_model_that_is_served_no_more_is_reported_until_another_is_chosen(address: str) -> None:
    news: list[tuple[WebSocketRoute, dict[str, Any]]] = []
    served: list[tuple[str, ...]] = []  # from the first on, the server's own news would bring the others back

    def listen(socket: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            if not served:
                news.append((socket, json.loads(message)))
                socket.send(message)

        socket.connect_to_server().on_message(pass_on)

    def serve(*ids: str) -> None:
        served.append(ids)
        socket, message = news[-1]
        socket.send(json.dumps(message | {"models": [one for one in message["models"] if one["id"] in ids]}))

    async with visiting(address) as visit:
        page, line = visit.page, visit.page.get_by_role("region", name="The model of this chat")
        await page.route_web_socket(re.compile("/ws/models/"), listen)
        await page.reload()
        await expect(page.locator(".picker-state")).to_have_text("ready")
        await visit.ask("Please echo")
        await expect(page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        serve("slow-loader", "mlx-community/Qwen3-8B-4bit")
        await expect(line).to_contain_text("scripted-model is not on this server.")
        await page.get_by_role("button", name="Choose another model…").click()
        await page.locator(".option", has_text="Qwen3").click()
        await expect(line).to_be_hidden()
        serve()
        await expect(line).to_contain_text("Qwen3-8B-4bit is not on this server. There is no other model.")
        serve("slow-loader", "mlx-community/Qwen3-8B-4bit")
        await expect(line).to_be_hidden()
        await expect(page.locator(".picker-name")).to_have_text("mlx-community/Qwen3-8B-4bit")
        assert visit.complaints == []


@nightly
async def test_a_conversation_stays_with_its_model_when_another_becomes_ready(address: str) -> None:
    async with visiting(address) as visit:
        message: dict[str, Any] = json.loads(await visit.page.locator("#page").text_content() or "")
        sent: list[WebSocketRoute] = []
        await visit.page.route_web_socket(re.compile("/ws/models/"), lambda one: sent.append(one))
        await visit.page.reload()
        await expect(visit.page.locator(".picker-name")).to_have_text("scripted-model")
        await visit.ask("Please echo")
        await expect(visit.page.locator(".figures")).to_contain_text("tokens/s", timeout=20_000)
        states = {"scripted-model": "unloaded", "slow-loader": "ready"}
        models = [one | {"state": states.get(one["id"], one["state"])} for one in message["models"]]
        sent[-1].send(json.dumps({"type": "models", "models": models, "kept_until": 0}))
        await expect(visit.page.locator(".picker-state")).to_have_text("")
        await expect(visit.page.locator(".picker-name")).to_have_text("scripted-model")


async def test_a_signed_out_visitor_is_notified_once(address: str) -> None:
    opened: list[WebSocketRoute] = []

    async def refuse(socket: WebSocketRoute) -> None:
        opened.append(socket)
        await socket.close(code=UNAUTHORISED)

    async with visiting(address) as visit:
        page = visit.page
        await page.route_web_socket(re.compile("/ws/models/"), refuse)
        await page.clock.install()
        await page.reload()
        await expect(page.locator("#trouble")).to_contain_text("You are signed out; reload the page")
        await page.clock.run_for(60_000)
        assert len(opened) == 1

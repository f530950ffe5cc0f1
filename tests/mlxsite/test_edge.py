import json
import re
from typing import Any

import httpx
import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.urls import URLResolver, get_resolver

from mlxsite.asgi import application
from tests.fakes import FakeRunner, serving

OWN = "http://localhost:8000"
FOREIGN = [
    "null",
    "http://evil.example",
    "http://localhost:9999",
    "https://localhost:8000",
    "http://localhost",
    "http://localhost.evil.example:8000",
    "http://127.0.0.1:8000",
    "",
]


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=OWN)  # type: ignore[arg-type]


def addresses(resolver: URLResolver | None = None, prefix: str = "/") -> list[str]:
    """An address for each route of the site, its parameters filled with an x."""
    found: list[str] = []
    for pattern in (resolver or get_resolver()).url_patterns:
        here = prefix + re.sub(r"<[^>]*>|\(.*?\)", "x", str(pattern.pattern)).strip("^$")
        found += addresses(pattern, here) if isinstance(pattern, URLResolver) else [here]
    return found


@pytest.mark.parametrize("address", sorted(set(addresses())))
async def test_every_address_refuses_an_unknown_host(address: str) -> None:
    async with client() as web:
        response = await web.get(address, headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("host", ["", "localhost@evil.example", "localhost:8000:1", "[::1", "*", "é"])
async def test_it_refuses_malformed_hosts(host: str) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/health",
        "headers": [(b"host", host.encode())],
    }
    web = ApplicationCommunicator(application, scope)
    await web.send_input({"type": "http.request"})
    assert (await web.receive_output())["status"] == 400


async def test_it_refuses_two_hosts() -> None:
    headers = [(b"host", b"localhost"), (b"host", b"evil.example")]
    web = ApplicationCommunicator(
        application, {"type": "http", "method": "GET", "path": "/health", "headers": headers}
    )
    assert (await web.receive_output())["status"] == 400


@pytest.mark.parametrize("origin", FOREIGN)
async def test_it_refuses_a_post_of_another_sites_page(origin: str) -> None:
    async with client() as web:
        response = await web.post("/v1/chat/completions", json={}, headers={"Origin": origin})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "permission_denied"


@pytest.mark.parametrize("headers", [{}, {"Origin": OWN}, {"Origin": OWN.upper()}])
async def test_it_lets_our_own_pages_and_programs_through(headers: dict[str, str]) -> None:
    async with client() as web:
        response = await web.post("/v1/chat/completions", content=b"{", headers=headers)
    assert response.status_code == 415


async def test_no_answer_invites_other_sites() -> None:
    with serving(FakeRunner()):
        async with client() as web:
            responses = [
                await web.get("/health"),
                await web.options("/v1/models", headers={"Origin": "http://evil.example"}),
            ]
    assert not any("access-control-allow-origin" in response.headers for response in responses)
    assert all(response.headers["cross-origin-resource-policy"] == "same-origin" for response in responses)


async def test_the_refusal_has_no_html() -> None:
    async with client() as web:
        response = await web.get("/admin/", headers={"Host": "evil.example"})
    assert response.headers["content-type"] == "application/json"
    assert json.loads(response.content)["error"]["param"] is None


async def connects(*headers: tuple[str, str]) -> bool:
    sent = [(name.encode(), value.encode()) for name, value in headers]
    socket = WebsocketCommunicator(application, "/ws/models/", headers=sent)
    with serving(FakeRunner()):
        is_open, _ = await socket.connect()
        await socket.disconnect()
    return bool(is_open)


@pytest.mark.django_db(transaction=True)
async def test_our_own_pages_may_open_a_websocket() -> None:
    assert await connects(("host", "localhost:8000"), ("origin", OWN))


@pytest.mark.parametrize("origin", FOREIGN)
async def test_other_sites_may_not_open_a_websocket(origin: str) -> None:
    assert not await connects(("host", "localhost:8000"), ("origin", origin))


async def test_a_websocket_must_name_its_origin() -> None:
    assert not await connects(("host", "localhost:8000"))


async def test_a_websocket_must_name_our_host() -> None:
    assert not await connects(("host", "evil.example"), ("origin", "http://evil.example"))


async def test_an_unknown_websocket_address_is_refused() -> None:
    socket = WebsocketCommunicator(
        application, "/ws/nothing/", headers=[(b"host", b"localhost:8000"), (b"origin", OWN.encode())]
    )
    is_open, _ = await socket.connect()
    assert not is_open

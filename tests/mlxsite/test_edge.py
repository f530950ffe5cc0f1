import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import override_settings
from django.urls import URLResolver, get_resolver

from inference.core.config import Config
from mlxsite.asgi import application
from tests.api.openai.asking import chat_body
from tests.each import each
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


async def test_every_address_refuses_an_unknown_host(subtests: pytest.Subtests) -> None:
    async with client() as web:
        for address in sorted(set(addresses())):
            with subtests.test(address):
                response = await web.get(address, headers={"Host": "evil.example"})
                assert response.status_code == 400
                error = response.json()["error"]
                # The errors of Ollama's dialect are texts.
                said = error if address.startswith("/ollama") else error["type"]
                assert "host name" in said or said == "invalid_request_error"


@each("host", ["", "localhost@evil.example", "localhost:8000:1", "[::1", "*", "é"])
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


@each("origin", FOREIGN)
async def test_it_refuses_a_post_of_another_sites_page(origin: str) -> None:
    async with client() as web:
        response = await web.post("/v1/chat/completions", json={}, headers={"Origin": origin})
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "permission_denied"


@each("headers", [{}, {"Origin": OWN}, {"Origin": OWN.upper()}])
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
        is_open, _ = await socket.connect(timeout=10)
        await socket.disconnect()
    return bool(is_open)


@pytest.mark.django_db(transaction=True)
async def test_our_own_pages_may_open_a_websocket() -> None:
    assert await connects(("host", "localhost:8000"), ("origin", OWN))


@each("origin", FOREIGN)
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
    is_open, _ = await socket.connect(timeout=10)
    assert not is_open


PAGE = "https://chat.example"
ALLOWED = f"{PAGE},app://obsidian.md,vscode-webview://,http://localhost:3000"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,x-stainless-os",
}


@pytest.fixture
def allowing() -> Iterator[None]:
    config = Config(**settings.CONFIG.model_dump() | {"allowed_origins": ALLOWED})
    with override_settings(CONFIG=config):
        yield


@pytest.mark.usefixtures("allowing")
@pytest.mark.parametrize(
    "origin", [PAGE, PAGE.upper(), "app://obsidian.md", "vscode-webview://1a2b3c", "http://localhost:3000"]
)
async def test_a_page_that_is_allowed_uses_the_dialects(origin: str) -> None:
    private = {"Access-Control-Request-Private-Network": "true"}
    with serving(FakeRunner()):
        async with client() as web:
            asked = await web.options(
                "/v1/chat/completions", headers={"Origin": origin} | PREFLIGHT | private
            )
            answer = await web.post("/v1/chat/completions", json=chat_body(), headers={"Origin": origin})
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "authorization,x-stainless-os"
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert answer.status_code == 200
    for response in (asked, answer):
        assert response.headers["access-control-allow-origin"] == origin
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.usefixtures("allowing")
@pytest.mark.parametrize(
    "origin", [*FOREIGN[:-1], "https://chat.example:8443", "http://chat.example", "app://other"]
)
async def test_any_other_page_is_refused_with_the_setting_that_allows_it(origin: str) -> None:
    async with client() as web:
        asked = await web.options("/v1/chat/completions", headers={"Origin": origin} | PREFLIGHT)
        answer = await web.post("/v1/chat/completions", json={}, headers={"Origin": origin})
    for response in (asked, answer):
        assert response.status_code == 403
        assert "MLX_SERVER_ALLOWED_ORIGINS" in response.json()["error"]["message"]
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.usefixtures("allowing")
@pytest.mark.parametrize("address", ["/", "/admin/", "/api/pool", "/chat/conversations/", "/ws/models/"])
async def test_an_allowed_page_reaches_nothing_but_the_dialects(address: str) -> None:
    async with client() as web:
        asked = await web.options(address, headers={"Origin": PAGE} | PREFLIGHT)
        answer = await web.post(address, headers={"Origin": PAGE})
    assert {asked.status_code, answer.status_code} == {403}
    assert "access-control-allow-origin" not in asked.headers
    assert not await connects(("host", "localhost:8000"), ("origin", PAGE))


@pytest.mark.usefixtures("allowing")
async def test_an_error_reaches_an_allowed_page_too() -> None:
    async with client() as web:
        answer = await web.post("/v1/chat/completions", content=b"{", headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (415, PAGE)


@each("address", ["/v1/models", "/health", "/v1/openapi.json", "/static/css/app.css"])
async def test_head_is_get_without_a_body(address: str) -> None:
    with serving(FakeRunner()):
        async with client() as web:
            whole, head = await web.get(address), await web.head(address)
    assert head.status_code == whole.status_code
    assert head.content == b""
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers.get("content-length") == whole.headers.get("content-length")


@each("sent", ["", "trace-1", "3f2c/8:a=b", "x" * 128])
async def test_a_request_keeps_its_id_or_gets_one(sent: str) -> None:
    with serving(FakeRunner()):
        async with client() as web:
            found = [
                (await web.get("/health", headers={"X-Request-Id": sent} if sent else {})),
                (await web.get("/v1/nothing", headers={"X-Request-Id": sent} if sent else {})),
            ]
    ids = [response.headers["x-request-id"] for response in found]
    assert ids == [sent, sent] if sent else len(set(ids)) == 2 and all(one.startswith("req_") for one in ids)


@each("sent", ["a b", "x" * 129, "\u00e9", "<script>"])
async def test_an_id_that_cannot_be_used_is_replaced(sent: str) -> None:
    async with client() as web:
        answer = await web.get("/health", headers={b"X-Request-Id": sent.encode("latin-1")})
    assert answer.headers["x-request-id"].startswith("req_")


@each("host", ["host.docker.internal:8000", "studio.local", "studio.local:8000"])
async def test_names_that_only_reach_this_machine_are_known(host: str) -> None:
    async with client() as web:
        assert (await web.get("/health", headers={"Host": host})).status_code != 400


async def test_a_refusal_has_the_form_of_the_dialect() -> None:
    async with client() as web:
        refused = [
            await web.post("/v1/messages", json={}, headers={"Host": "evil.example"}),
            await web.post("/v1/messages", json={}, headers={"Origin": "http://evil.example"}),
        ]
    kinds = [(one.status_code, one.json()["error"]["type"]) for one in refused]
    assert kinds == [(400, "invalid_request_error"), (403, "permission_error")]
    assert all(one.json()["request_id"] == one.headers["x-request-id"] for one in refused)


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_has_a_request_id_too() -> None:
    headers = [(b"host", b"localhost:8000"), (b"origin", OWN.encode()), (b"x-request-id", b"trace-1")]
    scope: Any = {"type": "websocket", "path": "/ws/models/", "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(application, scope | {"query_string": b""})
    with serving(FakeRunner()):
        await socket.send_input({"type": "websocket.connect"})
        accepted = await socket.receive_output(10)
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(10)
    assert (b"x-request-id", b"trace-1") in accepted["headers"]

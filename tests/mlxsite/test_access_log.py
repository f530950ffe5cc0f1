import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import override_settings
from opentelemetry import trace

from inference.core.config import Config
from inference.serving import tracing
from inference.serving.metrics.site_metrics import METRICS
from mlxsite.access_log import Access, endpoint_of
from mlxsite.asgi import application
from tests.each import each
from tests.fakes import FakeRunner, serving

NAME = "mlxsite_http_requests_total"


def client(app: Any = application) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


def count(endpoint: str, status: int) -> float:
    labels = {"endpoint": endpoint, "status": str(status)}
    return METRICS._registry.get_sample_value(NAME, labels) or 0.0


@pytest.fixture
def access_log() -> Iterator[None]:
    with override_settings(CONFIG=Config(access_log=True)):
        yield


@each(
    ("path", "endpoint"),
    [
        ("/v1/chat/completions", "openai chat"),
        ("/v1/models", "openai"),
        ("/ollama/api/tags", "ollama"),
        ("/api/pool", "operator"),
        ("/admin/inference/servedmodel/", "admin"),
        ("/metrics", "metrics"),
        ("/ready", "health"),
        ("/", "pages"),
        ("/made-up-4711/x", "pages"),
        ("", "pages"),
    ],
)
def test_addresses_have_a_bounded_number_of_names(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint


async def test_each_response_is_counted_also_a_refusal() -> None:
    before = count("health", 200), count("pages", 400)
    async with client() as web:
        with serving(FakeRunner()):
            await web.get("/health")
        await web.get("/x", headers={"Host": "evil.example"})
    assert (count("health", 200), count("pages", 400)) == (before[0] + 1, before[1] + 1)


async def test_an_application_that_fails_is_a_500_and_one_that_is_cancelled_a_499() -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    before = count("pages", 500)
    async with client(Access(fail)) as web:
        await web.get("/")
    assert count("pages", 500) == before + 1

    async def never_answer(*_: Any) -> None:
        return

    before = count("pages", 499)
    scope: Any = {"type": "http", "method": "GET", "path": "/", "client": None, "headers": []}
    await Access(never_answer)(scope, never_answer, never_answer)  # type: ignore[arg-type]
    assert count("pages", 499) == before + 1


@pytest.mark.usefixtures("access_log")
async def test_the_access_log_has_a_line_without_the_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mlxsite.access"):
        async with client() as web:
            response = await web.get("/v1/nothing?key=secret-4711")
    (line,) = [one for one in caplog.records if one.name == "mlxsite.access"]
    size = len(response.content)
    assert line.getMessage().startswith(f"127.0.0.1 GET /v1/nothing 404, {size} bytes in ")
    assert "secret-4711" not in json.dumps(line.__dict__, default=str)


async def test_there_is_none_unless_it_is_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mlxsite.access"):
        async with client() as web:
            await web.get("/v1/nothing")
    assert not [one for one in caplog.records if one.name == "mlxsite.access"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_trace_of_a_client_goes_on(kind: str) -> None:
    seen: list[Any] = []

    async def look(*_: Any) -> None:
        seen.append(trace.get_current_span(tracing._PARENT.get()).get_span_context().trace_id)

    sent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    scope: Any = {"type": kind, "method": "GET", "path": "/", "client": None, "headers": []}
    followed = {**scope, "headers": [(b"traceparent", sent)]}
    for one in (scope, followed):
        await asyncio.create_task(Access(look)(one, look, look))  # type: ignore[arg-type]
    assert seen == [0, 0x0AF7651916CD43DD8448EB211C80319C]


@each(("sent", "status"), [("accept", 101), ("close", 403), (None, 499)])
async def test_a_websocket_is_one_response(sent: str | None, status: int) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if sent:
            await send({"type": f"websocket.{sent}"})
            await send({"type": "websocket.close", "code": 1000})

    async def drop(*_: Any) -> None:
        return

    before = count("websocket", status)
    scope: Any = {"type": "websocket", "path": "/ws/models/", "client": ["127.0.0.1", 1], "headers": []}
    await Access(answer)(scope, drop, drop)  # type: ignore[arg-type]
    assert count("websocket", status) == before + 1

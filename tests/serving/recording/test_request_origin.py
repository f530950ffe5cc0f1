"""The record has the API that a request was sent to, its id, and what was noted of it."""

import asyncio
import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.test import AsyncClient

from inference.core.errors import ContextLengthExceeded
from inference.core.events import Accepted, Embedded, Ended, Finished, TextDelta, Usage
from inference.core.requests import ChatRequest, Message
from inference.serving.recording.request_entry import RequestEntry
from mlxsite.asgi import application
from tests.api.openai.asking import HELLO, chat_body, post
from tests.fakes import EventRunner, FakeRunner, card, serving
from tests.playground.asking import Page, idle
from tests.serving.recording.test_request_recorder import entries

pytestmark = pytest.mark.django_db(transaction=True)
USAGE = Usage(prompt_tokens=5, completion_tokens=1)
CHAT = "/v1/chat/completions"
MESSAGE = {"model": "tiny", "messages": HELLO, "max_tokens": 9}


def noting() -> EventRunner:
    """A model that has no use for a budget of reasoning."""
    accepted = Accepted(prompt_tokens=5, max_tokens=9, noted=("thinking_budget",))
    return EventRunner(accepted, TextDelta(text="Hi"), Ended(reason="stop"), Finished(usage=USAGE))


@contextmanager
def recording(runner: FakeRunner) -> Iterator[list[Any]]:
    kept: list[Any] = []
    with serving(runner, keep=kept.append):
        yield kept


async def recorded(path: str, body: dict[str, Any], runner: FakeRunner | None = None) -> RequestEntry:
    """The one entry of a request that is sent through the whole site, under an id of its own."""
    with recording(runner or FakeRunner()) as kept:
        transport = httpx.ASGITransport(application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as web:
            response = await web.post(path, json=body, headers={"X-Request-Id": "trace-1"})
        assert response.status_code == 200, response.text
        assert response.headers["x-request-id"] == "trace-1"
    (entry,) = kept
    return entry  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "body", "dialect"),
    [
        (CHAT, chat_body(), "openai chat"),
        (CHAT, chat_body(stream=True), "openai chat"),
        ("/v1/completions", {"model": "tiny", "prompt": "x"}, "openai completions"),
        ("/v1/responses", {"model": "tiny", "input": "x", "store": False}, "openai responses"),
        ("/v1/messages", MESSAGE, "anthropic"),
        ("/v1/messages", MESSAGE | {"stream": True}, "anthropic"),
        ("/ollama/api/chat", {"model": "tiny", "messages": HELLO}, "ollama"),
    ],
)
async def test_it_has_the_api_and_the_id(path: str, body: dict[str, Any], dialect: str) -> None:
    entry = await recorded(path, body)
    assert (entry.dialect, entry.request_id, entry.noted) == (dialect, "trace-1", "")


@pytest.mark.parametrize("stream", [False, True])
async def test_it_has_what_the_body_and_the_model_noted(stream: bool) -> None:
    with recording(noting()) as kept:
        body = chat_body(num_ctx=2048, thinking_budget=7, stream=stream)
        response = await post(CHAT, body)
        if stream:
            _ = [part async for part in response]
    assert kept[0].noted == response["x-mlx-noted"] == "num_ctx, thinking_budget"


async def test_a_message_that_streams_has_them_too() -> None:
    marked = MESSAGE | {"stream": True, "metadata": {"user_id": "a"}, "thinking": {"type": "disabled"}}
    entry = await recorded("/v1/messages", marked | {"service_tier": "auto"}, noting())
    assert "thinking.budget_tokens" in entry.noted


async def test_a_response_in_the_background_has_them() -> None:
    with recording(noting()) as kept:
        body = {"model": "tiny", "input": "Hi", "background": True, "client_metadata": {"a": "b"}}
        assert (await post("/v1/responses", body)).status_code == 200
        while not kept:
            await asyncio.sleep(0.01)
    assert (kept[0].dialect, kept[0].noted) == ("openai responses", "client_metadata, reasoning.max_tokens")


async def test_one_request_has_nothing_of_the_one_before() -> None:
    with recording(FakeRunner()) as kept:
        await post(CHAT, chat_body(num_ctx=2048))
        await post("/v1/completions", {"model": "tiny", "prompt": "x"})
    assert [(one.dialect, one.noted) for one in kept] == [
        ("openai chat", "num_ctx"),
        ("openai completions", ""),
    ]


async def test_a_request_that_is_refused_by_the_model_has_them() -> None:
    with recording(FakeRunner(refuse_with=ContextLengthExceeded("Too long."))) as kept:
        response = await post(CHAT, chat_body(num_ctx=2048))
    assert response.status_code == 400
    assert (kept[0].dialect, kept[0].noted, kept[0].error) == (
        "openai chat",
        "num_ctx",
        "context_length_exceeded",
    )


async def test_vectors_have_their_api() -> None:
    runner = EventRunner(Accepted(prompt_tokens=2), Embedded(vectors=(bytes(8),)), Finished(usage=USAGE))
    kept: list[Any] = []
    with serving(runner, cards=[card(kind="embedding")], keep=kept.append):
        response = await post("/v1/embeddings", {"model": "tiny", "input": "x"})
    assert (response.status_code, kept[0].dialect) == (200, "openai embeddings")


async def test_the_playground_is_an_api_of_its_own(async_client: AsyncClient) -> None:
    with recording(FakeRunner()) as kept:
        await Page(async_client).answered("Hi")
        await idle()
    assert {one.dialect for one in kept} == {"playground"}


async def test_what_comes_from_no_request_has_none() -> None:
    asked = ChatRequest(model="tiny", messages=(Message(role="user", content="Hi"),))
    # A context of its own: a test before may have left its request's in that of the thread.
    (entry,) = await asyncio.create_task(entries(FakeRunner(), asked), context=contextvars.Context())
    assert (entry.dialect, entry.noted) == ("", "")

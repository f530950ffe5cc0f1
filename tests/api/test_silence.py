"""Streams of every dialect fill each silence, whatever the model does meanwhile, and no more."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from inference.api.anthropic import message_writer
from inference.api.http import keep_alive
from inference.core.errors import ModelLoadFailed
from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    Progress,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from inference.core.requests import Request
from tests.api.openai.asking import post
from tests.fakes import EventRunner, FakeRunner, card, serving

pytestmark = pytest.mark.django_db(transaction=True)
INTERVAL_S = 0.1
SILENCE_S = 0.6
HELLO = [{"role": "user", "content": "Hello"}]
TOOL: dict[str, Any] = {"name": "now", "parameters": {"type": "object"}}
DIALECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": HELLO, "include_reasoning": False}),
    "completions": ("/v1/completions", {"prompt": "Hello"}),
    "responses": ("/v1/responses", {"input": "Hello"}),
    "background": ("/v1/responses", {"input": "Hello", "background": True}),
    "messages": (
        "/v1/messages",
        {"messages": HELLO, "max_tokens": 9, "thinking": {"type": "adaptive", "display": "omitted"}},
    ),
    "ollama chat": ("/ollama/api/chat", {"messages": HELLO}),
    "ollama generate": ("/ollama/api/generate", {"prompt": "Hello"}),
}
KEEP_ALIVES = {
    "chat": b": keep-alive\n\n",
    "completions": b": keep-alive\n\n",
    "responses": b"event: response.in_progress\n",
    "background": b'"output":[]',
    "messages": b"event: ping\n",
    "ollama chat": b'"content":""',
    "ollama generate": b'"response":""',
}
each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


class PacedRunner(EventRunner):
    """Pauses after each event before the text."""

    def __init__(self, *events: Event, pause_s: float) -> None:
        super().__init__(*events)
        self._pause_s = pause_s

    async def submit(self, request: Request, owner: str = "") -> AsyncGenerator[Event]:
        async for event in super().submit(request, owner):
            yield event
            await asyncio.sleep(0 if isinstance(event, TextDelta | Ended) else self._pause_s)


def events(*made: Event) -> list[Event]:
    return [
        Accepted(prompt_tokens=4),
        *made,
        TextDelta(text="Hi"),
        Ended(reason="stop"),
        Finished(usage=Usage(prompt_tokens=4, completion_tokens=1)),
    ]


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_alive, "INTERVAL_S", INTERVAL_S)
    monkeypatch.setattr(message_writer, "PING_S", INTERVAL_S)


async def sent(dialect: str) -> list[tuple[float, bytes]]:
    """What a stream of this dialect sends, each piece with the seconds of silence before it."""
    address, body = DIALECTS[dialect]
    found, last = [], time.monotonic()
    response = await post(address, {"model": "tiny", "stream": True} | body)
    assert response.status_code == 200, response.content
    async for piece in response.streaming_content:
        now = time.monotonic()
        found.append((now - last, piece))
        last = now
    return found


def check_silences(dialect: str, found: Sequence[tuple[float, bytes]]) -> None:
    """Every silence is filled as long as it lasts, and hardly anything else is."""
    filled = sum(KEEP_ALIVES[dialect] in piece for _, piece in found)
    seconds = sum(gap for gap, _ in found)
    assert 4 <= filled <= seconds / INTERVAL_S + 4, found  # beginnings and ends may look the same


@each_dialect
async def test_nothing_happens(dialect: str) -> None:
    with serving(PacedRunner(*events(), pause_s=SILENCE_S)):
        check_silences(dialect, await sent(dialect))


@each_dialect
async def test_the_prompt_is_computed_in_many_steps(dialect: str) -> None:
    progress = [Progress(phase="prefill", done=done, total=20) for done in range(20)]
    with serving(PacedRunner(*events(*progress), pause_s=0.03)):
        check_silences(dialect, await sent(dialect))


@pytest.mark.parametrize("dialect", ["chat", "messages"])
async def test_it_reasons_in_secret(dialect: str) -> None:
    thoughts = [ReasoningDelta(text="Hm") for _ in range(20)]
    with serving(PacedRunner(*events(*thoughts), pause_s=0.03)):
        check_silences(dialect, await sent(dialect))


async def test_a_call_is_made_that_is_sent_whole() -> None:
    pieces = [ToolCallDelta(call=0, text="" if place else "{}") for place in range(20)]
    calls = [ToolCallDelta(call=0, id="a", name="now"), *pieces]
    with serving(PacedRunner(*events(*calls), pause_s=0.03)):
        check_silences("ollama chat", await sent("ollama chat"))


@each_dialect
async def test_the_model_is_loaded(dialect: str) -> None:
    gate = asyncio.Event()
    asyncio.get_running_loop().call_later(SILENCE_S, gate.set)
    with serving(FakeRunner(load_gate=gate)):
        found = await sent(dialect)
    check_silences(dialect, found)
    assert any(b"there" in piece for _, piece in found)


@each_dialect
async def test_a_model_that_cannot_be_loaded_is_an_error_in_the_stream(dialect: str) -> None:
    gate = asyncio.Event()
    asyncio.get_running_loop().call_later(SILENCE_S, gate.set)
    with serving(FakeRunner(load_gate=gate, load_error="Its files are incomplete.")):
        found = await sent(dialect)
    assert b"Its files are incomplete." in b"".join(piece for _, piece in found[-2:])


@pytest.mark.parametrize("dialect", ["chat", "completions", "ollama chat", "ollama generate", "messages"])
async def test_one_that_cannot_be_loaded_at_once_is_a_status(dialect: str) -> None:
    address, body = DIALECTS[dialect]
    broken = card(problem="Its files are incomplete.")
    with serving(FakeRunner(), cards=[broken]):
        response = await post(address, {"model": "tiny", "stream": True} | body)
    assert response.status_code == ModelLoadFailed.status


@pytest.mark.parametrize("dialect", ["chat", "completions"])
async def test_without_keep_alives_every_refusal_is_a_status(dialect: str, settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"keep_alive": "off"})
    address, body = DIALECTS[dialect]
    gate = asyncio.Event()
    asyncio.get_running_loop().call_later(SILENCE_S, gate.set)
    with serving(FakeRunner(load_gate=gate, load_error="Its files are incomplete.")):
        response = await post(address, {"model": "tiny", "stream": True} | body)
    assert response.status_code == ModelLoadFailed.status

"""Asking /v1/responses of a fake model, and what comes back."""

import json
from typing import Any

from django.test import AsyncClient

from inference.core.events import (
    Accepted,
    Ended,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from inference.core.requests import ChatRequest
from tests.api.openai.asking import error_of
from tests.fakes import EventRunner, FakeRunner, serving

USAGE = Usage(prompt_tokens=9, completion_tokens=6, cached_tokens=4, reasoning_tokens=2)
ENDED: list[Event] = [Ended(reason="stop"), Finished(usage=USAGE)]
SAID: list[Event] = [TextDelta(text="Hel"), TextDelta(text="lo")]
THOUGHT: list[Event] = [ReasoningDelta(text="Hm"), ReasoningDelta(text=".")]
CALLED: list[Event] = [
    ToolCallDelta(call=0, id="call_a", name="now"),
    ToolCallDelta(call=0, text="{}"),
    ToolCallDelta(call=1, id="call_b", name="add", text='{"a":'),
    ToolCallDelta(call=1, text=" 1}"),
]
PICTURE = {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}
NOW = {"type": "function", "name": "now"}


def part(kind: str, text: str) -> dict[str, str]:
    return {"type": f"{kind}_text", "text": text}


def telling(*events: Event) -> EventRunner:
    return EventRunner(Accepted(prompt_tokens=9), *events)


async def post(body: dict[str, Any]) -> Any:
    sent = json.dumps({"model": "tiny"} | body)
    return await AsyncClient().post("/v1/responses", sent, content_type="application/json")


async def made(runner: FakeRunner, **body: Any) -> tuple[dict[str, Any], ChatRequest]:
    """The response to a body, and what the model was asked."""
    with serving(runner):
        response = await post({"input": "Hi"} | body)
    assert response.status_code == 200, response.content
    request = runner.requests[-1]
    assert isinstance(request, ChatRequest)
    return json.loads(response.content), request


async def streamed(runner: FakeRunner, **body: Any) -> list[dict[str, Any]]:
    with serving(runner):
        response = await post({"input": "Hi", "stream": True} | body)
        assert response.status_code == 200
        text = b"".join([part async for part in response.streaming_content]).decode()
    frames = [frame.split("\n") for frame in text.split("\n\n") if frame.startswith("event: ")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in frames]
    assert [name.removeprefix("event: ") for name, _ in frames] == [event["type"] for event in events]
    return events


async def refused(**body: Any) -> tuple[int, str | None]:
    with serving(FakeRunner()):
        response = await post({"input": "Hi"} | body)
    return response.status_code, error_of(response)["param"]

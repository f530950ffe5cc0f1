"""Asking in Anthropic's dialect the way a client does, and reading what comes back."""

import json
from typing import Any

from inference.api.anthropic.schemas import MessagesBody
from inference.api.http.strict_json import check
from inference.core.requests import ChatRequest
from tests.api.openai.asking import lines, post

HELLO: Any = [{"role": "user", "content": "Hello"}]


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "max_tokens": 50, "messages": HELLO} | fields


def read(**fields: Any) -> MessagesBody:
    return check(body(**fields), MessagesBody)


def asked(**fields: Any) -> ChatRequest:
    """What the model is asked by a body with these fields."""
    return read(**fields).request()


def turns(*blocks: Any, role: str = "user", before: Any = ()) -> dict[str, Any]:
    """The messages of a body, the last of which has these blocks."""
    return {"messages": [*before, {"role": role, "content": list(blocks)}]}


def text(string: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": string} | fields


async def send(path: str = "/v1/messages", **fields: Any) -> Any:
    return await post(path, body(**fields))


async def events(response: Any) -> list[dict[str, Any]]:
    """The events of a stream, each proven to have the name of its type; pings left out."""
    found = []
    for frame in await lines(response):
        head, _, data = frame.partition("\n")
        event = json.loads(data.removeprefix("data: "))
        assert head == f"event: {event['type']}"
        found.append(event)
    return [event for event in found if event["type"] != "ping"]


def error_of(response: Any) -> dict[str, Any]:
    """The error of an answer, proven to be in Anthropic's form."""
    assert response["Content-Type"] == "application/json"
    whole = json.loads(response.content)
    assert set(whole) == {"type", "error", "request_id"}
    assert (whole["type"], whole["request_id"]) == ("error", response["request-id"])
    error: dict[str, Any] = whole["error"]
    assert set(error) == {"type", "message"}
    return error

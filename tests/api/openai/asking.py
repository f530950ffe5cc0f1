"""Asking /v1 the way a client does, through Django's async test client."""

import json
from typing import Any

from django.test import AsyncClient

HELLO: Any = [{"role": "user", "content": "Hello"}]


def chat_body(**fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": HELLO} | fields


async def post(path: str, body: Any, **extra: Any) -> Any:
    """POST `body`, as JSON unless it is bytes already."""
    data = body if isinstance(body, bytes) else json.dumps(body)
    return await AsyncClient().post(path, data, **({"content_type": "application/json"} | extra))


async def chat(**fields: Any) -> Any:
    return await post("/v1/chat/completions", chat_body(**fields))


async def complete(**fields: Any) -> Any:
    return await post("/v1/completions", {"model": "tiny", "prompt": "Once"} | fields)


async def lines(response: Any) -> list[str]:
    """The stream's frames without their blank lines."""
    text = b"".join([part async for part in response]).decode()
    assert text.endswith("\n\n")
    return text[:-2].split("\n\n")


async def chunks(response: Any) -> list[dict[str, Any]]:
    """The JSON of a stream's data frames, [DONE] left out."""
    frames = [line.removeprefix("data: ") for line in await lines(response) if line.startswith("data: ")]
    return [json.loads(frame) for frame in frames if frame != "[DONE]"]


def error_of(response: Any) -> dict[str, Any]:
    """The error object of an answer, proven to be OpenAI's shape."""
    assert response["Content-Type"] == "application/json"
    error: dict[str, Any] = json.loads(response.content)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error

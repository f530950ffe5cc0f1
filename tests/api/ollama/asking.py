"""Asking Ollama's API the way its clients do, through Django's async test client."""

import json
from typing import Any

from django.test import AsyncClient

from inference.core.events import Accepted, Delta, Ended, Finished, FinishReason, Timings, Usage
from tests.api.openai.asking import HELLO, post
from tests.fakes import EventRunner

__all__ = ["HELLO", "answering", "ask", "error_of", "get", "lines"]


async def ask(endpoint: str, **fields: Any) -> Any:
    return await post(f"/ollama/api/{endpoint}", {"model": "tiny"} | fields)


async def get(path: str) -> Any:
    return await AsyncClient().get(f"/ollama{path}")


async def lines(response: Any) -> list[dict[str, Any]]:
    """The objects of a streamed answer."""
    assert response["Content-Type"] == "application/x-ndjson"
    text = b"".join([part async for part in response]).decode()
    assert text.endswith("\n")
    return [json.loads(line) for line in text[:-1].split("\n")]


def error_of(response: Any) -> str:
    """The message of an error, proven to be in Ollama's shape."""
    assert response["Content-Type"] == "application/json"
    error = json.loads(response.content)
    assert error.keys() == {"error"} and isinstance(error["error"], str)
    return str(error["error"])


def answering(*deltas: Delta, reason: FinishReason = "stop") -> EventRunner:
    """A model that says these."""
    return EventRunner(
        Accepted(prompt_tokens=5),
        *deltas,
        Ended(reason=reason),
        Finished(
            usage=Usage(prompt_tokens=5, completion_tokens=2), timings=Timings(prefill_s=0.25, decode_s=0.5)
        ),
    )

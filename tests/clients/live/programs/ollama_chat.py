"""Ollama's official client."""

from collections.abc import Iterator
from typing import Any

from ollama import Client

from tests.clients.live.programs.case import (
    FUNCTION_TOOL,
    HELLO,
    MODEL,
    RESULT,
    TIMEOUT_S,
    URL,
    Light,
)

client = Client(host=f"{URL}/ollama", timeout=TIMEOUT_S)


def answer(model: str, prompt: str) -> str | None:
    made = client.chat(model=model, messages=[{"role": "user", "content": prompt}])
    return made.message.content


def pieces(prompt: str) -> Iterator[str]:
    stream = client.chat(model=MODEL, messages=[{"role": "user", "content": prompt}], stream=True)
    for chunk in stream:
        if chunk.message.content:
            yield chunk.message.content


def tool_loop() -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": HELLO}]
    first = client.chat(model=MODEL, messages=messages, tools=[FUNCTION_TOOL])
    (call,) = first.message.tool_calls or ()
    messages += [
        first.message,
        {"role": "tool", "tool_name": call.function.name, "content": RESULT},
    ]
    last = client.chat(model=MODEL, messages=messages, tools=[FUNCTION_TOOL])
    return {"arguments": call.function.arguments, "text": last.message.content}


def structured() -> dict[str, Any]:
    made = client.chat(
        model=MODEL,
        messages=[{"role": "user", "content": HELLO}],
        format=Light.model_json_schema(),
    )
    return Light.model_validate_json(made.message.content or "").model_dump()

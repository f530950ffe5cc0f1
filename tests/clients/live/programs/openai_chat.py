"""The official client, Chat Completions."""

import json
from collections.abc import Iterator
from typing import Any

from openai import OpenAI

from tests.clients.live.programs.case import (
    FUNCTION_TOOL,
    HELLO,
    KEY,
    MAX_TOKENS,
    MODEL,
    RESULT,
    TIMEOUT_S,
    V1,
    Light,
)

client = OpenAI(base_url=V1, api_key=KEY, max_retries=0, timeout=TIMEOUT_S)


def answer(model: str, prompt: str) -> str | None:
    made = client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
    text: str | None = made.choices[0].message.content
    return text


def pieces(prompt: str) -> Iterator[str]:
    with client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": prompt}],
        max_completion_tokens=MAX_TOKENS,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


def tool_loop() -> dict[str, Any]:
    messages: list[Any] = [{"role": "user", "content": HELLO}]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[FUNCTION_TOOL])
    message = first.choices[0].message
    (call,) = message.tool_calls or []
    assert call.type == "function"
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": RESULT}]
    last = client.chat.completions.create(model=MODEL, messages=messages, tools=[FUNCTION_TOOL])
    return {"arguments": json.loads(call.function.arguments), "text": last.choices[0].message.content}


def structured() -> Any:
    made = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": HELLO}], response_format=Light
    )
    parsed = made.choices[0].message.parsed
    return parsed and parsed.model_dump()

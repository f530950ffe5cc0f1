"""The official client, Responses."""

import json
from collections.abc import Iterator
from typing import Any

from openai import OpenAI

from tests.clients.live.programs.case import (
    DESCRIPTION,
    HELLO,
    KEY,
    MAX_TOKENS,
    MODEL,
    PARAMETERS,
    RESULT,
    TIMEOUT_S,
    V1,
    Light,
)

client = OpenAI(base_url=V1, api_key=KEY, max_retries=0, timeout=TIMEOUT_S)
TOOL: Any = {
    "type": "function",
    "name": "set_light",
    "description": DESCRIPTION,
    "parameters": PARAMETERS,
    "strict": True,
}


def answer(model: str, prompt: str) -> str:
    text: str = client.responses.create(model=model, input=prompt).output_text
    return text


def pieces(prompt: str) -> Iterator[str]:
    with client.responses.stream(model=MODEL, input=prompt, max_output_tokens=MAX_TOKENS) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                yield event.delta


def tool_loop() -> dict[str, Any]:
    first = client.responses.create(model=MODEL, input=HELLO, tools=[TOOL])
    (call,) = (item for item in first.output if item.type == "function_call")
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": RESULT}
    last = client.responses.create(
        model=MODEL,
        input=[result],
        previous_response_id=first.id,
        tools=[TOOL],
    )
    return {"arguments": json.loads(call.arguments), "text": last.output_text}


def structured() -> Any:
    made = client.responses.parse(model=MODEL, input=HELLO, text_format=Light)
    return made.output_parsed and made.output_parsed.model_dump()

"""Anthropic's official client."""

from collections.abc import Iterator
from typing import Any

from anthropic import Anthropic, beta_tool

from tests.clients.live.programs.case import (
    HELLO,
    KEY,
    MAX_TOKENS,
    MODEL,
    RESULT,
    TIMEOUT_S,
    URL,
    Light,
)

client = Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=TIMEOUT_S)


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def answer(model: str, prompt: str) -> str:
    made = client.messages.create(
        model=model, max_tokens=MAX_TOKENS, messages=[{"role": "user", "content": prompt}]
    )
    return text_of(made)


def pieces(prompt: str) -> Iterator[str]:
    with client.messages.stream(
        model=MODEL,
        max_tokens=MAX_TOKENS,
        messages=[{"role": "user", "content": prompt}],
    ) as stream:
        yield from stream.text_stream


def tool_loop() -> dict[str, Any]:
    given: dict[str, Any] = {}

    @beta_tool
    def set_light(on: bool) -> str:
        """Turn the light on or off."""
        given["on"] = on
        return RESULT

    runner = client.beta.messages.tool_runner(
        model=MODEL,
        max_tokens=MAX_TOKENS,
        messages=[{"role": "user", "content": HELLO}],
        tools=[set_light],
    )
    return {"arguments": given, "text": text_of(runner.until_done())}


def structured() -> Any:
    made = client.messages.parse(
        model=MODEL,
        max_tokens=MAX_TOKENS,
        messages=[{"role": "user", "content": HELLO}],
        output_format=Light,
    )
    return made.parsed_output and made.parsed_output.model_dump()

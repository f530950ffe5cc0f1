"""LiteLLM with OpenAI's and with Anthropic's provider."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import litellm

from tests.clients.live.programs.case import (
    FUNCTION_TOOL,
    HELLO,
    KEY,
    MAX_TOKENS,
    MODEL,
    RESULT,
    TIMEOUT_S,
    URL,
    V1,
    Light,
)


class Cases:
    """The cases of one provider."""

    def __init__(self, provider: str, api_base: str) -> None:
        self._provider, self._api_base = provider, api_base

    def _completion(self, model: str = MODEL, prompt: str = HELLO, **fields: Any) -> Any:
        fields = {"messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_TOKENS} | fields
        return litellm.completion(
            model=f"{self._provider}/{model}",
            api_base=self._api_base,
            api_key=KEY,
            max_retries=0,
            timeout=TIMEOUT_S,
            **fields,
        )

    def answer(self, model: str, prompt: str) -> str | None:
        text: str | None = self._completion(model, prompt).choices[0].message.content
        return text

    def pieces(self, prompt: str) -> Iterator[str]:
        with closing(self._completion(prompt=prompt, stream=True)) as stream:
            for chunk in stream:
                if text := chunk.choices[0].delta.content:
                    yield text

    def tool_loop(self) -> dict[str, Any]:
        first = self._completion(tools=[FUNCTION_TOOL]).choices[0].message
        (call,) = first.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": RESULT}
        messages = [{"role": "user", "content": HELLO}, first, result]
        last = self._completion(tools=[FUNCTION_TOOL], messages=messages)
        return {
            "arguments": json.loads(call.function.arguments),
            "text": last.choices[0].message.content,
        }

    def structured(self) -> Any:
        made = self._completion(response_format=Light)
        return json.loads(made.choices[0].message.content)


OPENAI = Cases("openai", V1)
ANTHROPIC = Cases("anthropic", URL)

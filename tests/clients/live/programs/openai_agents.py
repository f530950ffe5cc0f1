"""OpenAI's Agents SDK with each of its two models."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    ToolCallItem,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from tests.clients.live.programs.case import HELLO, KEY, MODEL, RESULT, TIMEOUT_S, V1, Light

client = AsyncOpenAI(base_url=V1, api_key=KEY, max_retries=0, timeout=TIMEOUT_S)
set_tracing_disabled(True)


@function_tool
def set_light(on: bool) -> str:
    """Turn the light on or off."""
    return RESULT


class Cases:
    """The cases of one kind of model; `model` makes it for a name."""

    def __init__(self, model: Callable[[str], Any]) -> None:
        self._model = model

    def _agent(self, model: str = MODEL, **fields: Any) -> Agent[None]:
        return Agent(name="agent", model=self._model(model), **fields)

    async def answer(self, model: str, prompt: str) -> str:
        text: str = (await Runner.run(self._agent(model), prompt)).final_output
        return text

    async def pieces(self, prompt: str) -> AsyncIterator[str]:
        run = Runner.run_streamed(self._agent(), prompt)
        try:
            async for event in run.stream_events():
                if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                    yield event.data.delta
        finally:
            run.cancel()

    async def tool_loop(self) -> dict[str, Any]:
        run = await Runner.run(self._agent(tools=[set_light]), HELLO)
        (call,) = (item.raw_item for item in run.new_items if isinstance(item, ToolCallItem))
        return {"arguments": json.loads(call.arguments), "text": run.final_output}

    async def structured(self) -> dict[str, Any]:
        made: Light = (await Runner.run(self._agent(output_type=Light), HELLO)).final_output
        return made.model_dump()


CHAT = Cases(lambda name: OpenAIChatCompletionsModel(name, client))
RESPONSES = Cases(lambda name: OpenAIResponsesModel(name, client))

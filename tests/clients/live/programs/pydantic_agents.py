"""Pydantic AI with each of OpenAI's two models."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput, ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients.live.programs.case import HELLO, KEY, MODEL, RESULT, TIMEOUT_S, V1, Light

client = AsyncOpenAI(base_url=V1, api_key=KEY, max_retries=0, timeout=TIMEOUT_S)
provider = OpenAIProvider(openai_client=client)


def set_light(on: bool) -> str:
    """Turn the light on or off."""
    return RESULT


class Cases:
    """The cases of one kind of model; `model` makes it for a name."""

    def __init__(self, model: Callable[[str], Any]) -> None:
        self._model = model

    def _agent(self, model: str = MODEL, **fields: Any) -> Agent[None, Any]:
        return Agent(self._model(model), **fields)

    async def answer(self, model: str, prompt: str) -> str:
        text: str = (await self._agent(model).run(prompt)).output
        return text

    async def pieces(self, prompt: str) -> AsyncIterator[str]:
        async with self._agent().run_stream(prompt) as run:
            async for text in run.stream_text(delta=True, debounce_by=None):
                yield text

    async def tool_loop(self) -> dict[str, Any]:
        run = await self._agent(tools=[set_light]).run(HELLO)
        parts = [part for message in run.all_messages() for part in message.parts]
        (call,) = (part for part in parts if isinstance(part, ToolCallPart))
        return {"arguments": call.args_as_dict(), "text": run.output}

    async def structured(self) -> dict[str, Any]:
        made: Light = (await self._agent(output_type=NativeOutput(Light)).run(HELLO)).output
        return made.model_dump()


CHAT = Cases(lambda name: OpenAIChatModel(name, provider=provider))
RESPONSES = Cases(lambda name: OpenAIResponsesModel(name, provider=provider))

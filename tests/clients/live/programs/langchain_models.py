"""What LangChain's chat models are asked, whichever provider they have."""

from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

from tests.clients.live.programs.case import HELLO, MODEL, RESULT, Light


@tool
def set_light(on: bool) -> str:
    """Turn the light on or off."""
    return RESULT


class Cases:
    """The cases of one kind of chat model; `chat` makes it for a model."""

    def __init__(self, chat: Callable[[str], Any]) -> None:
        self._chat = chat

    def answer(self, model: str, prompt: str) -> str:
        text: str = self._chat(model).invoke(prompt).text
        return text

    def pieces(self, prompt: str) -> Iterator[str]:
        for chunk in self._chat(MODEL).stream(prompt):
            if chunk.text:
                yield chunk.text

    def tool_loop(self) -> dict[str, Any]:
        chat = self._chat(MODEL).bind_tools([set_light])
        first = chat.invoke(HELLO)
        (call,) = first.tool_calls
        result: ToolMessage = set_light.invoke(call)
        last = chat.invoke([HumanMessage(HELLO), first, result])
        return {"arguments": call["args"], "text": last.text}

    def structured(self) -> dict[str, Any]:
        made: Light = self._chat(MODEL).with_structured_output(Light).invoke(HELLO)
        return made.model_dump()

"""The messages and tools of a chat, as clients of Ollama send them."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from inference.api.anthropic.schemas.request_marks import marks_of
from inference.api.http.pictures import PictureBase64
from inference.api.http.strict_schema import Part, wrong
from inference.api.openai.schemas.calls import CallId, FunctionName
from inference.api.openai.schemas.messages import ChatMessage, conversation
from inference.api.openai.schemas.tools import FunctionBody
from inference.core.requests import Message, Tool

IMAGES = "PNG, JPEG, WebP or GIF files as base64, placed before the text; for vision models."


def _in_lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class OllamaFunctionCall(Part):
    """Which function the assistant called, and with what."""

    noted = {"index": "calls are indexed by their order."}

    name: FunctionName = Field(description="The function's name.")
    arguments: dict[str, Any] | None = Field(None, description="The arguments, as an object.")


class OllamaCall(Part):
    """One call of an earlier answer, sent back."""

    noted = {"type": "all tools are functions."}

    id: CallId | None = Field(None, description="The call's id, if the answer had one.")
    function: OllamaFunctionCall = Field(description="The function that was called.")


class OllamaMessage(Part):
    """One message; which fields it may have depends on its role."""

    role: Annotated[Literal["system", "user", "assistant", "tool"], BeforeValidator(_in_lower_case)] = Field(
        description="`system`, `user`, `assistant` or `tool`."
    )
    content: str | None = Field(None, description="The text.")
    images: list[PictureBase64] | None = Field(None, description=IMAGES)
    thinking: str | None = Field(
        None,
        description="An assistant's reasoning, sent back; the chat template keeps or drops it.",
    )
    tool_calls: Annotated[list[OllamaCall], Field(max_length=128)] | None = Field(
        None, description="An assistant's calls, sent back."
    )
    tool_name: Annotated[str, Field(max_length=256)] | None = Field(
        None,
        description=(
            "The function whose result a `tool` message has; the default is the first unanswered call."
        ),
    )
    tool_call_id: CallId | None = Field(None, description="The id of the call that a `tool` message answers.")

    @model_validator(mode="after")
    def _check_role_fields(self) -> Self:
        for field in ("tool_calls", "thinking"):
            if getattr(self, field) and self.role != "assistant":
                raise wrong("wrong_role", "Only an assistant's message has it", field)
        if self.images and self.role not in ("user", "tool"):
            raise wrong("wrong_role", "Only a user's or a tool's message has pictures", "images")
        if self.tool_call_id is not None and self.role != "tool":
            raise wrong("wrong_role", "Only a tool's message has it", "tool_call_id")
        return self

    @property
    def request_marks(self) -> Iterator[str]:
        yield from marks_of("content", self.content) if self.role == "system" else ()

    def as_chat_message(self) -> ChatMessage:
        """The same in OpenAI's form, in which calls and results find each other."""
        calls = [
            {
                "id": call.id,
                "function": {
                    "name": call.function.name,
                    "arguments": json.dumps(call.function.arguments or {}, ensure_ascii=False),
                },
            }
            for call in self.tool_calls or ()
        ]
        return ChatMessage.model_validate(
            {
                "role": self.role,
                "content": self._parts() if self.images else self.content or "",
                "name": self.tool_name if self.role == "tool" else None,
                "tool_calls": calls or None,
                "tool_call_id": self.tool_call_id,
                "reasoning_content": self.thinking,
            }
        )

    def _parts(self) -> list[dict[str, Any]]:
        """The pictures, and the text behind them."""
        pictures = [{"type": "image_url", "image_url": {"url": picture}} for picture in self.images or ()]
        return [*pictures, {"type": "text", "text": self.content or ""}]


class OllamaTool(Part):
    """A function the model may call."""

    noted = {"items": "all tools are functions."}

    type: Literal["function"] = Field("function", description="`function`; may be left out.")
    function: FunctionBody = Field(description="The function.")

    def tool(self) -> Tool:
        return self.function.tool()


def turns_of(messages: Sequence[OllamaMessage]) -> tuple[Message, ...]:
    """The messages, each result with the id of its call; raises Orphan."""
    return conversation([message.as_chat_message() for message in messages])

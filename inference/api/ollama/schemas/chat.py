"""The body of POST /api/chat."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.api.http.strict_schema import wrong
from inference.api.ollama.schemas.answering import Answering
from inference.api.ollama.schemas.messages import OllamaMessage, OllamaTool, turns_of
from inference.api.openai.schemas.messages import Orphan
from inference.api.openai.schemas.tools import check_names
from inference.core.requests import ChatRequest


class OllamaChatBody(Answering):
    """The body of POST /api/chat."""

    asks_with = "messages"

    messages: list[OllamaMessage] | None = Field(
        None, description="The messages; an empty list only loads the model."
    )
    tools: Annotated[list[OllamaTool], Field(max_length=128)] | None = Field(
        None, description="At most 128 functions; refused if the model does not support tools."
    )

    @model_validator(mode="after")
    def _check_tool_messages(self) -> Self:
        try:
            turns_of(self.messages or ())
        except Orphan as orphan:
            raise wrong("no_such_call", orphan.reason, f"messages.{orphan.place}.tool_name") from None
        return self

    @model_validator(mode="after")
    def _check_tool_names(self) -> Self:
        names = [tool.function.name for tool in self.tools or ()]
        check_names((f"tools.{place}.function.name", name) for place, name in enumerate(names))
        return self

    @property
    def asks(self) -> bool:
        return bool(self.messages)

    def request(self, model: str) -> ChatRequest:
        turns = turns_of(self.messages or ())
        last = turns[-1]
        return ChatRequest(
            model=model,
            messages=turns,
            tools=tuple(tool.tool() for tool in self.tools or ()),
            # Ollama's templates leave the last message open where it is the assistant's.
            continues=last.role == "assistant" and bool(last.content) and not last.tool_calls,
            **self.chat_settings,
        )

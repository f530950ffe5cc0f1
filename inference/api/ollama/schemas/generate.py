"""The body of POST /api/generate."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.api.anthropic.schemas.request_marks import marks_of, without_marks
from inference.api.http.pictures import PictureBase64, content_of
from inference.api.http.strict_schema import Refused, unsupported
from inference.api.ollama.schemas.answering import Answering
from inference.api.ollama.schemas.messages import IMAGES
from inference.core.requests import ChatRequest, CompletionRequest, Message

_LONGEST = 1_000_000


class GenerateBody(Answering):
    """The body of POST /api/generate."""

    asks_with = "prompt"
    refused = {
        **Answering.refused,
        "context": Refused("send the conversation's messages to /api/chat.", ([],)),
        "template": Refused("templates are code; send the complete prompt with `raw: true`.", ("",)),
    }

    prompt: str | None = Field(None, description="A user's message; an empty one only loads the model.")
    system: str | None = Field(None, description="A system message before the prompt.")
    suffix: Annotated[str, Field(max_length=_LONGEST)] | None = Field(
        None, description="The text after the answer; refused if the model cannot fill in the middle."
    )
    images: list[PictureBase64] | None = Field(None, description=IMAGES)
    raw: bool | None = Field(
        None, description="`true` passes the prompt to the model unchanged, without a template."
    )

    @model_validator(mode="after")
    def _check_raw_prompt(self) -> Self:
        if not self.is_completion:
            return self
        how = "raw" if self.raw else "suffix"
        for field in ("system", "images", "format", "think"):
            if getattr(self, field):
                raise unsupported(
                    f"<field> is not supported together with {how}: it needs the model's chat template.",
                    field,
                )
        return self

    @property
    def is_completion(self) -> bool:
        """Whether the prompt is continued without a chat template."""
        return bool(self.raw or self.suffix)

    @property
    def asks(self) -> bool:
        return bool(self.prompt or self.suffix or self.images)

    @property
    def request_marks(self) -> Iterator[str]:
        yield from marks_of("system", self.system)

    def request(self, model: str) -> ChatRequest | CompletionRequest:
        if self.is_completion:
            return CompletionRequest(
                model=model, prompts=(self.prompt or "",), suffix=self.suffix or None, **self.settings
            )
        text = without_marks(self.system or "")
        system = [Message(role="system", content=text)] if text else []
        content, pictures = content_of([*(self.images or ()), self.prompt or ""])
        messages = (*system, Message(role="user", content=content, pictures=pictures))
        return ChatRequest(model=model, messages=messages, **self.chat_settings)

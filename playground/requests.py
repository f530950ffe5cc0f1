"""What the page may ask: strict, with nothing unknown and nothing unbounded."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inference.errors import InvalidJSON, InvalidValue, ServerError, UnsupportedField
from inference.requests import ChatRequest, Message, Sampling

_LARGEST_SEED = 2**53 - 1  # the largest whole number a browser keeps exactly


class Turn(BaseModel):
    """One message of the conversation so far."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Field(min_length=1)]


class Question(BaseModel):
    """A conversation that waits for its next answer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    model: Annotated[str, Field(min_length=1, max_length=500)]
    messages: Annotated[tuple[Turn, ...], Field(min_length=1, max_length=2000)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, Field(ge=0, le=_LARGEST_SEED)] | None = None

    def chat_request(self) -> ChatRequest:
        return ChatRequest(
            model=self.model,
            messages=tuple(Message(role=turn.role, content=turn.content) for turn in self.messages),
            sampling=Sampling(temperature=self.temperature, top_p=self.top_p, seed=self.seed),
            max_tokens=self.max_tokens,
        )


def parse(body: bytes) -> ChatRequest:
    """The request in `body`; raises an InvalidRequest that names the wrong field."""
    try:
        question = Question.model_validate_json(body)
    except ValidationError as error:
        raise _explained(error) from None
    if question.messages[-1].role != "user":
        raise InvalidValue("The last message must be the user's.", param="messages")
    return question.chat_request()


def _explained(error: ValidationError) -> ServerError:
    """The first thing wrong, without the input in it: messages are private."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return InvalidJSON("The request is not valid JSON.")
    if first["type"] == "extra_forbidden":
        return UnsupportedField(f"There is no setting {where[:80]!r}.", param=where[:80])
    return InvalidValue(f"{where}: {first['msg']}.", param=where or None)

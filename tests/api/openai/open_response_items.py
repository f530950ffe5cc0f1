"""What Open Responses requires of items and their content, as strict models; see open_responses.py."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

ItemStatus = Literal["in_progress", "completed", "incomplete"]


class Exact(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


# Items and their content.


class InputText(Exact):
    type: Literal["input_text"]
    text: str


class TopLogprob(Exact):
    token: str
    logprob: float
    bytes: list[int]


class Logprob(TopLogprob):
    logprob: float | None  # type: ignore[assignment]  # of scored prompts, which no response has
    top_logprobs: list[TopLogprob]


class OutputText(Exact):
    type: Literal["output_text"]
    text: str
    annotations: list[Any] = Field(max_length=0)
    logprobs: list[Logprob] = []


class Refusal(Exact):
    type: Literal["refusal"]
    refusal: str


class SummaryText(Exact):
    type: Literal["summary_text"]
    text: str


class ReasoningText(Exact):
    type: Literal["reasoning_text"]
    text: str


Part = Annotated[InputText | OutputText | ReasoningText | Refusal | SummaryText, Field(discriminator="type")]


class Message(Exact):
    type: Literal["message"]
    id: str = Field(min_length=1)
    status: ItemStatus
    role: Literal["user", "assistant", "system", "developer"]
    content: list[Part]
    phase: Literal["commentary", "final_answer"] = "final_answer"


class FunctionCall(Exact):
    type: Literal["function_call"]
    id: str = Field(min_length=1)
    call_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    arguments: str
    status: ItemStatus
    namespace: str | None = None  # OpenAI's own


class CustomCall(Exact):
    """OpenAI's own; a client that knows only Open Responses sends no custom tools."""

    type: Literal["custom_tool_call"]
    id: str = Field(min_length=1)
    call_id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    input: str
    status: ItemStatus
    namespace: str | None = None


class CustomCallResult(Exact):
    type: Literal["custom_tool_call_output"]
    id: str = Field(min_length=1)
    call_id: str = Field(min_length=1)
    output: str | list[InputText]
    status: ItemStatus


class FunctionCallOutput(Exact):
    type: Literal["function_call_output"]
    id: str = Field(min_length=1)
    call_id: str = Field(min_length=1)
    output: str | list[InputText]
    status: ItemStatus


class Reasoning(Exact):
    type: Literal["reasoning"]
    id: str = Field(min_length=1)
    summary: list[SummaryText]
    content: list[ReasoningText] = []
    encrypted_content: str | None = None
    status: ItemStatus  # OpenAI's own


class Compaction(Exact):
    type: Literal["compaction", "compaction_summary"]
    id: str = Field(min_length=1)
    encrypted_content: str


Item = Annotated[
    Message | FunctionCall | FunctionCallOutput | CustomCall | CustomCallResult | Reasoning | Compaction,
    Field(discriminator="type"),
]
_ITEM: TypeAdapter[Any] = TypeAdapter(Item)


def check_item(item: dict[str, Any]) -> None:
    """Raises pydantic's ValidationError."""
    _ITEM.validate_python(item)

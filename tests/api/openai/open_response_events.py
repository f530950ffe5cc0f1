"""What Open Responses requires of each event of a stream, as strict models.

Reasoning has OpenAI's names, `response.reasoning_text.*`, which its clients know; Open Responses calls them
`response.reasoning.*`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from tests.api.openai.open_response_items import Exact, Item, Logprob, Part, SummaryText
from tests.api.openai.open_responses import Response, check_response


class Event(Exact):
    sequence_number: int = Field(ge=0)


class Whole(Event):
    type: Literal[
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ]
    response: Response


class OfItem(Event):
    type: Literal["response.output_item.added", "response.output_item.done"]
    output_index: int = Field(ge=0)
    item: Item


class InItem(Event):
    item_id: str = Field(min_length=1)
    output_index: int = Field(ge=0)


class OfPart(InItem):
    type: Literal["response.content_part.added", "response.content_part.done"]
    content_index: int = Field(ge=0)
    part: Part


class TextPiece(InItem):
    type: Literal["response.output_text.delta"]
    content_index: int = Field(ge=0)
    delta: str
    logprobs: list[Logprob]


class TextEnd(InItem):
    type: Literal["response.output_text.done"]
    content_index: int = Field(ge=0)
    text: str
    logprobs: list[Logprob]


class ThoughtPiece(InItem):
    type: Literal["response.reasoning_text.delta"]
    content_index: int = Field(ge=0)
    delta: str


class ThoughtEnd(InItem):
    type: Literal["response.reasoning_text.done"]
    content_index: int = Field(ge=0)
    text: str


class SummaryPart(InItem):
    type: Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
    summary_index: int = Field(ge=0)
    part: SummaryText


class SummaryPiece(InItem):
    type: Literal["response.reasoning_summary_text.delta"]
    summary_index: int = Field(ge=0)
    delta: str


class SummaryEnd(InItem):
    type: Literal["response.reasoning_summary_text.done"]
    summary_index: int = Field(ge=0)
    text: str


class CustomPiece(InItem):
    type: Literal["response.custom_tool_call_input.delta"]
    delta: str


class CustomEnd(InItem):
    type: Literal["response.custom_tool_call_input.done"]
    input: str


class ArgumentsPiece(InItem):
    type: Literal["response.function_call_arguments.delta"]
    delta: str


class ArgumentsEnd(InItem):
    type: Literal["response.function_call_arguments.done"]
    name: str  # OpenAI's own
    arguments: str


AnyEvent = Annotated[
    Whole
    | OfItem
    | OfPart
    | TextPiece
    | TextEnd
    | ThoughtPiece
    | ThoughtEnd
    | SummaryPart
    | SummaryPiece
    | SummaryEnd
    | CustomPiece
    | CustomEnd
    | ArgumentsPiece
    | ArgumentsEnd,
    Field(discriminator="type"),
]
_EVENT: TypeAdapter[Any] = TypeAdapter(AnyEvent)


def check_stream(frames: str) -> list[dict[str, Any]]:
    """The events of a whole stream, down to its [DONE]; raises as `check_response` does."""
    *framed, done, rest = frames.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [check_event(frame) for frame in framed if not frame.startswith(":")]


def check_event(frame: str) -> dict[str, Any]:
    """One frame's event, whose name is its type."""
    name, data = frame.split("\n")
    event: Any = _EVENT.validate_json(data.removeprefix("data: "))
    assert name == f"event: {event.type}"
    dumped: dict[str, Any] = event.model_dump(by_alias=True)
    if isinstance(event, Whole):
        check_response(dumped["response"])
    return dumped

"""What Open Responses requires of a response, as strict models; its items and events have files of their own.

Written from the published description (https://www.openresponses.org/reference, 2026-04-24). Every field is
required unless it has a default here, and none beside these is allowed.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from tests.api.openai.open_response_items import Exact, Item

ResponseStatus = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]


class Failure(Exact):
    code: str
    message: str


class Why(Exact):
    reason: Literal["max_output_tokens", "content_filter"]


class FunctionTool(Exact):
    type: Literal["function"]
    name: str
    description: str | None
    parameters: dict[str, Any] | None
    strict: bool | None


class CustomFormat(Exact):
    type: Literal["text", "grammar"]
    syntax: Literal["lark", "regex"] | None = None
    definition: str | None = None


class CustomTool(Exact):
    type: Literal["custom"]
    name: str
    description: str | None
    format: CustomFormat


class NamespaceTool(Exact):
    type: Literal["namespace"]
    name: str
    description: str | None
    tools: list[FunctionTool | CustomTool]


class NamedFunction(Exact):
    type: Literal["function", "custom"]
    name: str
    namespace: str | None = None


class AllowedTool(Exact):
    type: str
    name: str | None = None
    namespace: str | None = None


class AllowedTools(Exact):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class PlainFormat(Exact):
    type: Literal["text", "json_object"]


class SchemaFormat(Exact):
    type: Literal["json_schema"]
    name: str
    description: str | None
    # Open Responses publishes it as null; what was enforced is the schema, and OpenAI gives it back.
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool


class Text(Exact):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")]


class Thinking(Exact):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None
    summary: Literal["auto", "concise", "detailed"] | None


class CachedTokens(Exact):
    cached_tokens: int = Field(ge=0)


class ReasoningTokens(Exact):
    reasoning_tokens: int = Field(ge=0)


class Usage(Exact):
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    input_tokens_details: CachedTokens
    output_tokens_details: ReasoningTokens


class OfConversation(Exact):
    id: str


class Response(Exact):
    id: str = Field(min_length=1)
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: ResponseStatus
    incomplete_details: Why | None
    model: str
    previous_response_id: str | None
    instructions: str | None
    output: list[Item]
    error: Failure | None
    tools: list[FunctionTool | CustomTool | NamespaceTool]
    tool_choice: Literal["none", "auto", "required"] | NamedFunction | AllowedTools
    truncation: Literal["auto", "disabled"]
    parallel_tool_calls: bool
    text: Text
    top_p: float = Field(gt=0, le=1)
    presence_penalty: float
    frequency_penalty: float
    top_logprobs: int
    temperature: float = Field(ge=0)
    reasoning: Thinking | None
    usage: Usage | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    store: bool
    background: bool
    service_tier: Literal["auto", "default", "flex", "priority"]
    metadata: dict[str, str]
    safety_identifier: str | None
    prompt_cache_key: str | None
    user: str | None  # OpenAI's own
    conversation: OfConversation | None = None  # OpenAI's own


def check_response(dumped: dict[str, Any]) -> Response:
    """The response, once it is all that is required; raises pydantic's ValidationError or AssertionError."""
    response = Response.model_validate(dumped)
    assert (response.completed_at is not None) == (response.status == "completed")
    assert (response.error is not None) == (response.status == "failed")
    assert (response.incomplete_details is not None) == (response.status == "incomplete")
    assert (response.usage is not None) >= (response.status in {"completed", "incomplete"})
    open_items = [item for item in response.output if getattr(item, "status", "") == "in_progress"]
    assert not open_items or response.status in {"queued", "in_progress"}
    return response

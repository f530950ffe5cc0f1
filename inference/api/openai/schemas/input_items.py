"""The items of a conversation, as clients of /v1/responses send them."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from inference.api.anthropic.schemas import request_marks
from inference.api.http.strict_schema import Part, either, unsupported_type, wrong
from inference.api.openai.schemas.calls import Arguments, CallId
from inference.api.openai.schemas.input_parts import ECHOED, Result, TextOrParts
from inference.api.openai.schemas.object_types import kind_in
from inference.api.openai.schemas.response_tools import ResponseTools

ItemId = Annotated[str, Field(max_length=256)]
CalledName = Annotated[str, Field(min_length=1, max_length=256)]
_FOREIGN = re.compile(
    r"(?!function_call|custom_tool_call)[a-z0-9_]{1,48}_call(_output)?|mcp_list_tools|mcp_approval_(request|response)|tool_search_output|program"
    r"|program_output|configuration_update|ghost_snapshot"
)
Status = Literal["in_progress", "completed", "incomplete"]


class ReasoningText(Part):
    type: Literal["reasoning_text", "text"] = Field(description="`reasoning_text`.")
    text: str = Field(description="The text.")


class SummaryText(Part):
    type: Literal["summary_text"] = Field(description="`summary_text`.")
    text: str = Field(description="The text.")


class MessageItem(Part):
    """A turn of the conversation."""

    type: Literal["message"] = Field("message", description="`message`; may be left out.")
    role: Literal["user", "assistant", "system", "developer"] = Field(
        description="`user`, `assistant`, `system` or `developer` (read as `system`)."
    )
    content: TextOrParts = Field(
        description="A string, or a list of texts and pictures, joined without a separator."
    )
    phase: Literal["commentary", "final_answer"] | None = Field(None, description=ECHOED)
    id: ItemId | None = Field(None, description=ECHOED)
    status: Status | None = Field(None, description=ECHOED)

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        for place, part in enumerate(self.content if isinstance(self.content, list) else ()):
            path = f"content.{place}.type"
            if part.type == "input_image" and self.role != "user":
                raise wrong("wrong_role", "Only a user's or a tool's message has pictures", path)
            if part.type not in ("input_text", "input_image") and self.role != "assistant":
                raise wrong("wrong_role", "Here it must be 'input_text'", path)
        if self.phase and self.role != "assistant":
            raise wrong("wrong_role", "Only an assistant's message has it", "phase")
        return self

    @property
    def is_system(self) -> bool:
        return self.role in ("system", "developer")

    @property
    def request_marks(self) -> Iterator[str]:
        yield from request_marks.marks_of("content", self.content) if self.is_system else ()


class CallItem(Part):
    """A call that an earlier answer made."""

    noted = {"caller": "only the model calls.", "async": "the client decides when to run a tool."}

    type: Literal["function_call"] = Field(description="`function_call`.")
    call_id: CallId = Field(description="The call's id, which its result repeats.")
    name: CalledName = Field(description="The function's name.")
    namespace: CalledName | None = Field(None, description="Its namespace, if it has one.")
    arguments: Arguments = "{}"
    id: ItemId | None = Field(None, description=ECHOED)
    status: Status | None = Field(None, description=ECHOED)


class CustomCallItem(Part):
    """A call of a custom tool that an earlier answer made."""

    noted = CallItem.noted

    type: Literal["custom_tool_call"] = Field(description="`custom_tool_call`.")
    call_id: CallId = Field(description="The call's id, which its result repeats.")
    name: CalledName = Field(description="The tool's name.")
    namespace: CalledName | None = Field(None, description="Its namespace, if it has one.")
    input: str = Field(description="The input of the tool.")
    id: ItemId | None = Field(None, description=ECHOED)
    status: Status | None = Field(None, description=ECHOED)


class ResultItem(Part):
    """What a called function gave back."""

    noted = {"caller": "only the model calls."}

    type: Literal["function_call_output", "custom_tool_call_output"] = Field(
        description="`function_call_output` or `custom_tool_call_output`."
    )
    call_id: CallId = Field(description="The id of the earlier call that it answers.")
    output: Result = Field(description="A string, or a list of texts and pictures.")
    id: ItemId | None = Field(None, description=ECHOED)
    status: Status | None = Field(None, description=ECHOED)


class ReasoningItem(Part):
    """The reasoning of an earlier answer: its content, or else what it was sealed in, or else its summary."""

    type: Literal["reasoning"] = Field(description="`reasoning`.")
    content: list[ReasoningText] | None = Field(
        None, description="The reasoning; the chat template keeps or drops it."
    )
    encrypted_content: str | None = Field(
        None,
        description=(
            "The value that this server returned with `include`; read if there is no content. A value from "
            "another server is omitted and listed in `x-mlx-omitted`."
        ),
    )
    summary: list[SummaryText] | None = Field(
        None, description="Read if neither of the other fields has the reasoning."
    )
    id: ItemId | None = Field(None, description=ECHOED)
    status: Status | None = Field(None, description=ECHOED)


class CompactionItem(Part):
    """A conversation that POST /v1/responses/compact has summarised."""

    noted = {"created_by": "the model reads only the summary."}

    type: Literal["compaction", "compaction_summary"] = Field(description="`compaction`.")
    encrypted_content: str = Field(
        description=(
            "The value that this server returned. A value from another server is omitted and listed in "
            "`x-mlx-omitted`."
        )
    )
    id: ItemId | None = Field(None, description=ECHOED)


class ReferenceItem(Part):
    """An item of one of your stored responses or conversations, by its id."""

    type: Literal["item_reference"] = Field("item_reference", description="`item_reference`.")
    id: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description="The item's id; 404 if none of your stored responses and conversations has it."
    )


class AddedToolsItem(Part):
    """Further tools, as if they were in `tools`."""

    noted = {"role": "only developers can add tools."}

    type: Literal["additional_tools"] = Field(description="`additional_tools`.")
    tools: ResponseTools = Field(description="The same as the field `tools`.")
    id: ItemId | None = Field(None, description=ECHOED)


class ForeignItem(Part):
    """A step of a tool that another server has: left out, and listed in `x-mlx-omitted`."""

    type: Annotated[str, Field(json_schema_extra={"pattern": f"^({_FOREIGN.pattern})$"})] = Field(
        description="Calls and results of hosted tools: `web_search_call`, `file_search_call`, "
        "`local_shell_call`, `local_shell_call_output`, `mcp_call` and the like."
    )

    @classmethod
    def _is_noted(cls, name: str, value: Any, info: ValidationInfo) -> bool:
        """Nothing in it is listed: all of the item is left out."""
        return False


_BRANCHES = {
    "message": "<message>",
    "function_call": "<call>",
    "custom_tool_call": "<custom>",
    "function_call_output": "<result>",
    "custom_tool_call_output": "<result>",
    "reasoning": "<reasoning>",
    "compaction": "<compaction>",
    "compaction_summary": "<compaction>",
    "item_reference": "<reference>",
    "additional_tools": "<tools>",
}


def _refuse_other_kinds(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in _BRANCHES and not _FOREIGN.fullmatch(kind):
        why = "items are messages, calls, their results and reasoning."
        if kind == "compaction_trigger":
            why = "POST /v1/responses/compact makes a compaction."
        raise unsupported_type(kind, why)
    return value


def _item_tag(value: Any) -> str | None:
    kind = kind_in(value)
    if isinstance(value, dict) and kind is None:  # a message and a reference may leave their type out
        is_message = "role" in value or "content" in value or "id" not in value
        return "<message>" if is_message else "<reference>"
    return _BRANCHES.get(kind, "<foreign>") if isinstance(kind, str) else None


def _without_null_type(value: Any) -> Any:
    """A null type is one that was left out."""
    if isinstance(value, dict) and "type" in value and value["type"] is None:
        return {name: one for name, one in value.items() if name != "type"}
    return value


Item = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[CallItem, Tag("<call>")]
    | Annotated[CustomCallItem, Tag("<custom>")]
    | Annotated[ResultItem, Tag("<result>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[CompactionItem, Tag("<compaction>")]
    | Annotated[ReferenceItem, Tag("<reference>")]
    | Annotated[AddedToolsItem, Tag("<tools>")]
    | Annotated[ForeignItem, Tag("<foreign>")],
    Discriminator(
        _item_tag,
        custom_error_type="wrong_type",
        custom_error_message=(
            "It must be a message, a call, a result, a reasoning item or another item of this API"
        ),
    ),
    BeforeValidator(_refuse_other_kinds),
    BeforeValidator(_without_null_type),
]
Items = Annotated[list[Item], Field(max_length=4096)]
Input = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[Items, Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of items"),
]

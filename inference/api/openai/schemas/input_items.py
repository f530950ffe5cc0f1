"""The items of a conversation, as clients of /v1/responses send them."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from inference.api.http.strict_schema import Part, Refused, either, unless, unsupported, wrong
from inference.api.openai.schemas.messages import Arguments, CallId, FunctionName

_TEXT_ONLY = "these models read text only."
_FUNCTIONS_ONLY = "tools are functions."
_OWN = "the server writes it."
ItemId = Annotated[str, Field(max_length=256)]
_KINDS = ("message", "function_call", "function_call_output", "reasoning")
Status = Literal["in_progress", "completed", "incomplete"]


class ContentPart(Part):
    """A piece of a message: what was asked, or what was answered."""

    refused = {
        "annotations": Refused("this server makes no annotations.", ([],)),
        "logprobs": Refused(_OWN, ([],)),
        "image_url": Refused(_TEXT_ONLY),
        "file_id": Refused(_TEXT_ONLY),
        "file_data": Refused(_TEXT_ONLY),
        "detail": Refused(_TEXT_ONLY),
        "refusal": Refused("this server makes no refusals of its own."),
        "prompt_cache_breakpoint": Refused("prefixes are cached wherever they end."),
    }

    type: Annotated[
        Literal["input_text", "output_text"],
        unless("input_image", "input_file", "input_audio", "refusal", why=_TEXT_ONLY),
    ] = Field(description="`input_text`, or `output_text` of an earlier answer.")
    text: str = Field(description="The text.")


TextOrParts = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[ContentPart], Field(min_length=1, max_length=1024), Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of text parts"),
]


class ReasoningText(Part):
    type: Literal["reasoning_text"] = Field(description="`reasoning_text`.")
    text: str = Field(description="The text.")


class MessageItem(Part):
    """A turn of the conversation."""

    type: Literal["message"] = Field("message", description="`message`; may be left out.")
    role: Literal["user", "assistant", "system", "developer"] = Field(
        description="`user`, `assistant`, `system` or `developer` (read as `system`)."
    )
    content: TextOrParts = Field(description="A string, or a list of text parts, joined without a separator.")
    phase: Literal["commentary", "final_answer"] | None = Field(
        None, description="Of an output sent back as it came; not shown to the model."
    )
    id: ItemId | None = Field(None, description="Of an output sent back as it came; not shown to the model.")
    status: Status | None = Field(
        None, description="Of an output sent back as it came; not shown to the model."
    )

    @model_validator(mode="after")
    def _parts_fit_the_role(self) -> Self:
        wanted = "output_text" if self.role == "assistant" else "input_text"
        for place, part in enumerate(self.content if isinstance(self.content, list) else ()):
            if part.type != wanted and self.role != "assistant":
                raise wrong("wrong_role", f"Here it must be {wanted!r}", f"content.{place}.type")
        if self.phase and self.role != "assistant":
            raise wrong("wrong_role", "Only an assistant's message has it", "phase")
        return self


class CallItem(Part):
    """A call that an earlier answer made."""

    refused = {"caller": Refused("only the model calls."), "namespace": Refused(_FUNCTIONS_ONLY)}

    type: Literal["function_call"] = Field(description="`function_call`.")
    call_id: CallId = Field(description="The call's id; its result repeats it.")
    name: FunctionName = Field(description="The function's name.")
    arguments: Arguments = "{}"
    id: ItemId | None = Field(None, description="Of an output sent back as it came; not shown to the model.")
    status: Status | None = Field(
        None, description="Of an output sent back as it came; not shown to the model."
    )


class ResultItem(Part):
    """What a called function gave back."""

    type: Literal["function_call_output"] = Field(description="`function_call_output`.")
    call_id: CallId = Field(description="Which call it answers: one made before it.")
    output: TextOrParts = Field(description="A string, or a list of text parts.")
    id: ItemId | None = Field(None, description="Of an output sent back as it came; not shown to the model.")
    status: Status | None = Field(
        None, description="Of an output sent back as it came; not shown to the model."
    )


class ReasoningItem(Part):
    """The reasoning of an earlier answer."""

    refused = {"encrypted_content": Refused("reasoning is sent as it is."), "summary": Refused(_OWN, ([],))}

    type: Literal["reasoning"] = Field(description="`reasoning`.")
    content: list[ReasoningText] | None = Field(
        None, description="The reasoning; the chat template keeps or drops them, as its model was trained."
    )
    id: ItemId | None = Field(None, description="Of an output sent back as it came; not shown to the model.")
    status: Status | None = Field(
        None, description="Of an output sent back as it came; not shown to the model."
    )


def _refuse_other_kinds(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in _KINDS:
        why = "items are messages, calls, their results and reasoning."
        raise unsupported(f"<field>: {kind[:64]!r} is not supported: {why}", "type")
    return value


def _item_kind(value: Any) -> str | None:
    kind = value.get("type", "message") if isinstance(value, dict) else None
    return f"<{kind}>" if isinstance(kind, str) else None


Item = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[CallItem, Tag("<function_call>")]
    | Annotated[ResultItem, Tag("<function_call_output>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")],
    Discriminator(
        _item_kind,
        custom_error_type="wrong_type",
        custom_error_message=(
            "It must be a message, a function_call, a function_call_output or a reasoning item"
        ),
    ),
    BeforeValidator(_refuse_other_kinds),
]
Items = Annotated[list[Item], Field(min_length=1, max_length=4096)]
Input = Annotated[
    Annotated[str, Field(min_length=1), Tag("<text>")] | Annotated[Items, Tag("<list>")],
    either({"<text>": str, "<list>": list}, "a string or a list of items"),
]

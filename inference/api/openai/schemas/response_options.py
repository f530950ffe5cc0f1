"""What a response's text, reasoning and further output are to be."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Tag
from pydantic_core import PydanticCustomError

from inference.api.http.strict_schema import Part, Refused, either, not_given
from inference.api.openai.schemas.shared_fields import FormName, SchemaStrictness
from inference.api.openai.schemas.thinking import SentEffort
from inference.api.openai.schemas.tools import JsonSchema

ENCRYPTED_REASONING = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
# What OpenAI publishes and this server never has: it is noted.
_NOTHING_TO_INCLUDE = (
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "web_search_call.action.sources",
    "web_search_call.results",
)
INCLUDABLE = (ENCRYPTED_REASONING, LOGPROBS, *_NOTHING_TO_INCLUDE)
ConversationId = Annotated[str, Field(min_length=1, max_length=64)]
SummaryKind = Annotated[Literal["auto", "concise", "detailed"] | None, not_given("none")]


def _is_published(value: Any) -> Any:
    if isinstance(value, str) and value not in INCLUDABLE:
        raise PydanticCustomError("not_includable", f"It must be one of {', '.join(INCLUDABLE)}")
    return value


Include = Annotated[
    list[Annotated[str, BeforeValidator(_is_published), Field(json_schema_extra={"enum": list(INCLUDABLE)})]],
    Field(max_length=64),
]


class TextFormat(Part):
    "The format of the answer's text."

    noted = {"description": "the model does not read it; add it to the instructions."}

    type: Literal["text", "json_object", "json_schema"] = Field(
        description="`text`; `json_object`: any JSON object; `json_schema`: JSON that follows the schema."
    )
    name: FormName | None = Field(None, description="With `json_schema`: a label.")
    schema_: JsonSchema | None = Field(
        None, alias="schema", description="With `json_schema`: the schema; enforced during decoding."
    )
    strict: SchemaStrictness = None

    @property
    def schema_text(self) -> str:
        if self.type == "text":
            return ""
        return json.dumps(self.schema_) if self.schema_ is not None else '{"type":"object"}'


class TextOptions(Part):
    noted = {"verbosity": "chat templates do not support it; add it to the instructions."}

    format: TextFormat | None = Field(None, description="The format of the answer's text.")


class ReasoningOptions(Part):
    refused = {"mode": Refused("there is only one mode.", ("standard",))}
    noted = {"context": "the chat template decides which earlier reasoning is kept."}
    aliases = {"generate_summary": "summary"}

    effort: SentEffort = Field(
        None,
        description="How much the model thinks, from `none` to `max`; without it, or with `default`, the "
        "template decides.",
    )
    max_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None, description="Not OpenAI's. The maximum number of reasoning tokens; 0 for none."
    )
    enabled: bool | None = Field(
        None, description="Not OpenAI's. Whether to reason, if the chat template has a switch for it."
    )
    summary: SummaryKind = Field(
        None,
        description="Every value but `none` returns the complete reasoning as a summary, in addition to its "
        "own text.",
    )


class ResponseStreamOptions(Part):
    noted = {"include_obfuscation": "events are not padded."}


class ConversationReference(Part):
    """A conversation by its id."""

    id: ConversationId = Field(description="Its id.")


ConversationChoice = Annotated[
    Annotated[ConversationId, Tag("<id>")] | Annotated[ConversationReference, Tag("<object>")],
    either({"<id>": str, "<object>": dict}, "an id or an object with one"),
]


class ContextManagement(Part):
    """What is done with a conversation that has become long."""

    type: Literal["compaction"] = Field(description="`compaction`.")
    compact_threshold: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "The number of tokens above which a prompt is compacted before it is answered; the default is "
            "three quarters of the context."
        ),
    )

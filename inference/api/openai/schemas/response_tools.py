"""The tools of a response, and the choice among them.

Functions, namespaces of them and custom tools are offered to the model. Tools that run on OpenAI's own
servers or inside one client are left out. https://platform.openai.com/docs/api-reference/responses/create
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from inference.api.http.strict_schema import Part, either, unsupported_type, wrong
from inference.api.openai.schemas.calls import FunctionName
from inference.api.openai.schemas.custom_tools import MOST_GRAMMAR
from inference.api.openai.schemas.object_types import kind_in
from inference.api.openai.schemas.tool_choice import in_a_word
from inference.api.openai.schemas.tools import JsonSchema

# Clients number and date these: web_search_2025_08_26, computer_use_preview.
_HOSTED = re.compile(
    r"(web_search|file_search|code_interpreter|computer|image_generation|mcp|local_shell|shell|apply_patch"
    r"|tool_search|programmatic_tool_calling)(_[a-z0-9_]+)?"
)
_NOTED = {
    "allowed_callers": "only the model calls.",
    "async": "the client decides when to run a tool.",
    "defer_loading": "all tools are offered immediately.",
    "output_schema": "the model does not read it.",
}
MOST_TOOLS = 512


def is_hosted(kind: object) -> bool:
    """Whether this type of tool runs on OpenAI's own servers, or inside one client."""
    return isinstance(kind, str) and _HOSTED.fullmatch(kind[:64]) is not None


class FunctionTool(Part):
    """A function the model may call."""

    noted = _NOTED

    type: Literal["function"] = Field(description="`function`.")
    name: FunctionName = Field(description="1 to 64 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="Description of what it does; the model reads it.")
    parameters: JsonSchema | None = Field(
        None, description="A JSON Schema of its arguments; leave it out if the function has none."
    )
    strict: bool | None = Field(
        None,
        description=(
            "`true` enforces the schema for the arguments; it is always enforced if a call is required."
        ),
    )


class CustomFormat(Part):
    """What the input of a custom tool looks like."""

    type: Literal["text", "grammar"] = Field(
        description="`text`: any text; `grammar`: text that matches the grammar."
    )
    syntax: Literal["lark", "regex"] | None = Field(None, description="With `grammar`: `lark` or `regex`.")
    definition: Annotated[str, Field(min_length=1, max_length=MOST_GRAMMAR)] | None = Field(
        None,
        description=(
            "With `grammar`: the grammar. The model reads it, and it is enforced during decoding. If the "
            "format of the model's calls prevents this, the header `x-mlx-best-effort` lists the field."
        ),
    )

    @model_validator(mode="after")
    def _check_grammar(self) -> Self:
        for field in ("syntax", "definition"):
            if (getattr(self, field) is None) == (self.type == "grammar"):
                says = (
                    "It is required with this type" if self.type == "grammar" else "It is for grammars only"
                )
                raise wrong("no_grammar", says, field)
        return self


class CustomTool(Part):
    """A tool whose input is a text instead of JSON arguments."""

    noted = _NOTED

    type: Literal["custom"] = Field(description="`custom`.")
    name: FunctionName = Field(description="1 to 64 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="Description of what it does; the model reads it.")
    format: CustomFormat | None = Field(None, description="The format of its input; the default is any text.")


class HostedTool(Part):
    """A tool of OpenAI's own servers, or of one client: left out, and listed in `x-mlx-omitted`."""

    type: Annotated[str, Field(json_schema_extra={"pattern": f"^{_HOSTED.pattern}$"})] = Field(
        description="`web_search`, `file_search`, `code_interpreter`, `computer`, `image_generation`, `mcp`, "
        "`local_shell`, `shell`, `apply_patch`, `tool_search`, with or without a version."
    )

    @classmethod
    def _is_noted(cls, name: str, value: Any, info: ValidationInfo) -> bool:
        """Nothing in it is listed: all of the tool is left out."""
        return False


def _tool_tag(value: Any) -> str | None:
    kind = kind_in(value)
    return "<hosted>" if is_hosted(kind) else f"<{kind}>" if isinstance(kind, str) else None


def _refuse_unknown(*known: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind not in known and not is_hosted(kind):
            why = f"the types are {', '.join(known)} and those of hosted tools."
            raise unsupported_type(kind, why)
        return value

    return BeforeValidator(check)


_ONE_OF = "It must be an object with a type: function, custom, namespace, or that of a hosted tool"
InNamespace = Annotated[
    Annotated[FunctionTool, Tag("<function>")]
    | Annotated[CustomTool, Tag("<custom>")]
    | Annotated[HostedTool, Tag("<hosted>")],
    Discriminator(_tool_tag, custom_error_type="wrong_type", custom_error_message=_ONE_OF),
    _refuse_unknown("function", "custom"),
]


class NamespaceTool(Part):
    """A set of tools whose names are their own."""

    type: Literal["namespace"] = Field(description="`namespace`.")
    name: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="Returned as `namespace` in each call of its tools."
    )
    description: str | None = Field(
        None, description="Description of the namespace; the model reads it with the first of its tools."
    )
    tools: Annotated[list[InNamespace], Field(max_length=MOST_TOOLS)] = Field(
        description="Functions and custom tools. The model knows them as `NAMESPACE__NAME`."
    )


ResponseTool = Annotated[
    Annotated[FunctionTool, Tag("<function>")]
    | Annotated[CustomTool, Tag("<custom>")]
    | Annotated[NamespaceTool, Tag("<namespace>")]
    | Annotated[HostedTool, Tag("<hosted>")],
    Discriminator(_tool_tag, custom_error_type="wrong_type", custom_error_message=_ONE_OF),
    _refuse_unknown("function", "custom", "namespace"),
]
ResponseTools = Annotated[list[ResponseTool], Field(max_length=MOST_TOOLS)]


class NamedChoice(Part):
    """One tool, which the answer has to call."""

    type: Literal["function", "custom"] = Field(description="`function` or `custom`.")
    name: FunctionName = Field(description="The tool to call.")
    namespace: str | None = Field(None, description="Its namespace, if it has one.")


class AllowedTool(Part):
    """One of the tools, by its type and name."""

    type: Annotated[str, Field(max_length=64)] = Field(
        description="`function`, `custom`, `namespace`, or the type of a hosted tool, which is omitted."
    )
    name: Annotated[str, Field(max_length=256)] | None = Field(None, description="Its name.")
    namespace: str | None = Field(None, description="Its namespace, if it has one.")


class AllowedChoice(Part):
    """Some of the tools: the model is offered no others."""

    type: Literal["allowed_tools"] = Field(description="`allowed_tools`.")
    mode: Literal["auto", "required"] = Field(description="`auto` or `required`.")
    tools: Annotated[list[AllowedTool], Field(min_length=1, max_length=MOST_TOOLS)] = Field(
        description="The tools that the model may call."
    )


_CHOICES: Mapping[str, str] = {
    "function": "<named>",
    "custom": "<named>",
    "allowed_tools": "<allowed>",
}


def _choice_tag(value: Any) -> str | None:
    kind = kind_in(value)
    return _CHOICES.get(kind, f"<{kind}>") if isinstance(kind, str) else None


def _refuse_other_choices(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in _CHOICES:
        why = "hosted tools are left out" if is_hosted(kind) else f"the types are {', '.join(_CHOICES)}"
        raise unsupported_type(kind, f"{why}.")
    return value


ObjectChoice = Annotated[
    Annotated[NamedChoice, Tag("<named>")] | Annotated[AllowedChoice, Tag("<allowed>")],
    Discriminator(
        _choice_tag,
        custom_error_type="wrong_type",
        custom_error_message="It must be an object that names a tool, or allowed_tools",
    ),
    BeforeValidator(_refuse_other_choices),
]
ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")] | Annotated[ObjectChoice, Tag("<object>")],
    either(
        {"<word>": str, "<object>": dict}, "'none', 'auto', 'required' or an object that names what is called"
    ),
    in_a_word,
]

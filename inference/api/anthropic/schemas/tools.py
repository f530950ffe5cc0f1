"""Tools, and whether they are to be called."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from inference.api.anthropic.schemas import client_tools
from inference.api.anthropic.schemas.block import CACHE_CONTROL
from inference.api.anthropic.schemas.blocks import ToolName
from inference.api.http.strict_schema import Part, unsupported, wrong
from inference.core.requests import Tool

JsonSchema = dict[str, Any]


class DefinedTool(Part):
    """A function of the client's."""

    noted = {
        "allowed_callers": "only the model calls tools.",
        "defer_loading": "all tools are offered immediately.",
        "eager_input_streaming": "arguments are always streamed.",
    }

    type: Literal["custom"] | None = Field(
        None,
        description=(
            "`custom`; may be left out. Anthropic's `bash_*`, `text_editor_*` and `memory_*` are supported "
            "with their published schemas. All other types run on Anthropic's servers or need images; they "
            "are omitted and listed in the header `x-mlx-omitted`."
        ),
    )
    name: ToolName = Field(description="1 to 128 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="Description of what it does; the model reads it.")
    input_schema: JsonSchema = Field(description="A JSON Schema of its arguments.")
    input_examples: list[dict[str, Any]] | None = Field(
        None, description="Examples of arguments; the model reads them after the description."
    )
    strict: bool | None = Field(
        None,
        description=(
            "`true` enforces the schema for the arguments during decoding; it is always enforced if a call "
            "is required."
        ),
    )
    cache_control: Any = Field(None, description=CACHE_CONTROL)

    def tool(self) -> Tool:
        examples = [json.dumps(example, ensure_ascii=False) for example in self.input_examples or ()]
        shown = "\n".join(["Examples of arguments:", *examples]) if examples else ""
        return Tool(
            name=self.name,
            description="\n\n".join(text for text in (self.description, shown) if text),
            parameters=json.dumps(self.input_schema),
            is_strict=bool(self.strict),
        )


class AnthropicTool(Part):
    """A tool that is known by its type."""

    type: str = Field(
        description="The tool's type and date, such as `text_editor_20250728`.",
        json_schema_extra={"not": {"const": "custom"}},
    )
    name: str | None = Field(None, description="The tool's name.")
    cache_control: Any = Field(None, description=CACHE_CONTROL)

    @classmethod
    def _is_listed(cls, name: str) -> bool:
        return False

    def tool(self) -> Tool | None:
        return client_tools.tool_of(self.type, self.name)


def _origin(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    return "<custom>" if value.get("type") in (None, "custom") else "<anthropic>"


ToolBody = Annotated[
    Annotated[DefinedTool, Tag("<custom>")] | Annotated[AnthropicTool, Tag("<anthropic>")],
    Discriminator(_origin, custom_error_type="wrong_type", custom_error_message="It must be an object"),
]


def _normalized(kind: Any) -> Any:
    return "any" if kind == "required" else kind


class ToolChoice(Part):
    type: Annotated[Literal["auto", "any", "tool", "none"], BeforeValidator(_normalized)] = Field(
        description=(
            "`none` hides the tools from the model; `auto`, the default, lets it choose; `any` forces a "
            "call of one of them, and `tool` a call of the named one, with arguments that follow the "
            "schema. `required`, OpenAI's name of `any`, is accepted as well."
        )
    )
    name: str | None = Field(None, description="With `tool`: the tool's name.")
    disable_parallel_tool_use: bool | None = Field(
        None,
        description=(
            "`true`: at most one call in an answer. With a required call, there is exactly one unless this "
            "is `false`."
        ),
    )

    @property
    def may_call_several(self) -> bool:
        if self.disable_parallel_tool_use is None:
            return self.type in ("auto", "none")
        return not self.disable_parallel_tool_use

    def must_call(self, offered: Sequence[Tool]) -> tuple[str, ...]:
        """The names of the tools one of which the answer has to call."""
        if self.type == "tool":
            return (self.name or "",)
        return tuple(tool.name for tool in offered) if self.type == "any" else ()


def _of_word(value: Any) -> Any:
    """A choice that is sent as a word, as OpenAI's clients do, is an object of this type."""
    return {"type": value} if value in ("auto", "any", "none", "required") else value


SentChoice = Annotated[ToolChoice | None, BeforeValidator(_of_word)]


def offered(tools: Sequence[ToolBody]) -> tuple[Tool, ...]:
    return tuple(made for tool in tools if (made := tool.tool()))


def left_out(tools: Sequence[ToolBody]) -> Iterator[str]:
    """The tools that cannot be offered, by place and type."""
    yield from (f"tools.{place}:{tool.type}" for place, tool in enumerate(tools) if tool.tool() is None)


def check_tools(tools: Sequence[ToolBody], choice: ToolChoice | None) -> None:
    """Names are unique, and what is to be called is there and can be offered."""
    names = [tool.name for tool in offered(tools)]
    places = [place for place, tool in enumerate(tools) if tool.tool()]
    twice = next((at for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise wrong("name_twice", "Another tool has this name already", f"tools.{places[twice]}.name")
    if choice is None or choice.type in ("auto", "none"):
        return
    if choice.type == "any" and not names:
        raise wrong("no_tools", "It is only allowed together with tools that can be offered", "tool_choice")
    if choice.type == "any" or choice.name in names:
        return
    if choice.name in [tool.name for tool in tools]:
        why = "only Anthropic's own servers have this tool."
        raise unsupported(f"<field> is not supported: {why}", "tool_choice.name")
    raise wrong("no_such_tool", "There is no tool with this name", "tool_choice.name")

"""The tools of a chat: functions and custom tools."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, model_validator

from inference.api.http.strict_schema import Part, wrong
from inference.api.openai.schemas.calls import FunctionName
from inference.api.openai.schemas.custom_tools import MOST_GRAMMAR, custom_tool
from inference.api.openai.schemas.object_types import by_type, known_types
from inference.core.requests import Tool

JsonSchema = dict[str, Any]
Parallel = Annotated[
    bool | None,
    Field(
        description=(
            "`false`: at most one call in an answer. With a required or named call, there is exactly one "
            "unless this is `true`."
        )
    ),
]


class FunctionBody(Part):
    """A function the model may call."""

    name: FunctionName = Field(description="1 to 64 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="Description of what it does; the model reads it.")
    parameters: JsonSchema | None = Field(
        None, description="A JSON Schema of its arguments; leave it out if the function has none."
    )
    strict: bool | None = Field(
        None,
        description=(
            "`true` enforces the schema for the arguments during decoding; it is always enforced if a "
            "call is required or named. Refused with `auto` if the model does not mark its calls (Llama "
            "3)."
        ),
    )

    def tool(self) -> Tool:
        return tool_of(self.name, self.description, self.parameters, is_strict=bool(self.strict))


class GrammarBody(Part):
    """The grammar of a custom tool's input."""

    syntax: Literal["lark", "regex"] = Field(description="`lark` or `regex`.")
    definition: Annotated[str, Field(min_length=1, max_length=MOST_GRAMMAR)] = Field(
        description=(
            "The grammar. The model reads it, and it is enforced during decoding. If the format of the "
            "model's calls prevents this, the header `x-mlx-best-effort` lists the field."
        )
    )


class InputFormat(Part):
    """What the input of a custom tool looks like."""

    type: Literal["text", "grammar"] = Field(
        description="`text`: any text; `grammar`: text that matches the grammar."
    )
    grammar: GrammarBody | None = Field(None, description="With the type `grammar`, and required there.")

    @model_validator(mode="after")
    def _check_grammar_type(self) -> Self:
        if self.type == "grammar" and self.grammar is None:
            raise wrong("no_grammar", "It is required with this type", "grammar")
        if self.type == "text" and self.grammar is not None:
            raise wrong("no_grammar", "It is for grammars only", "grammar")
        return self


class CustomBody(Part):
    """A tool whose input is a text instead of JSON arguments."""

    name: FunctionName = Field(description="The same rules as for a function's name; unique among all tools.")
    description: str | None = Field(None, description="Description of what it does; the model reads it.")
    format: InputFormat | None = Field(None, description="The format of its input; the default is any text.")


class FunctionToolBody(Part):
    type: Literal["function"] = Field(description="`function`.")
    function: FunctionBody = Field(description="The function.")

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def is_strict(self) -> bool:
        return bool(self.function.strict)

    def tool(self) -> Tool:
        return self.function.tool()


class CustomToolBody(Part):
    type: Literal["custom"] = Field(description="`custom`.")
    custom: CustomBody = Field(description="The tool.")

    @property
    def name(self) -> str:
        return self.custom.name

    @property
    def is_strict(self) -> bool:
        """Whether its arguments have to follow their schema: the worker decides it by the grammar."""
        return False

    def tool(self) -> Tool:
        """The function that the model is offered."""
        about = self.custom.description or ""
        grammar = self.custom.format.grammar if self.custom.format else None
        if grammar is None:
            return custom_tool(self.name, about)
        return custom_tool(self.name, about, grammar.syntax, grammar.definition)


ToolBody = Annotated[
    Annotated[FunctionToolBody, Tag("<function>")] | Annotated[CustomToolBody, Tag("<custom>")],
    by_type("function", "custom"),
    known_types("function", "custom"),
]
MOST_TOOLS = 128
ToolBodies = Annotated[list[ToolBody], Field(max_length=MOST_TOOLS)]


def tool_of(
    name: str, description: str | None, parameters: JsonSchema | None, *, is_strict: bool = False
) -> Tool:
    """A tool for the model to read; without parameters it takes an empty object."""
    if parameters is None:
        return Tool(name=name, description=description or "")
    return Tool(
        name=name,
        description=description or "",
        parameters=json.dumps(parameters),
        is_strict=is_strict,
    )


def check_names(names: Iterable[tuple[str, str]]) -> None:
    """Refuse two tools of one name; `names` has the path and the value of each."""
    seen: set[str] = set()
    for path, name in names:
        if name in seen:
            raise wrong("name_twice", "Another tool has this name already", path)
        seen.add(name)


def names_of(tools: Iterable[ToolBody]) -> Iterator[tuple[str, str]]:
    """The path and the value of each tool's name."""
    for place, tool in enumerate(tools):
        yield f"tools.{place}.{tool.type}.name", tool.name


def several(parallel: bool | None, chosen: str) -> bool:
    """Whether an answer may have more than one call: a call that is asked for is one, unless more are."""
    return bool(parallel) if parallel is not None else chosen in ("auto", "none")


def must_call(offered: tuple[Tool, ...], chosen: str) -> tuple[str, ...]:
    """The names of the functions one of which the answer has to call."""
    if chosen.startswith("="):
        return (chosen[1:],)
    return tuple(tool.name for tool in offered) if chosen == "required" else ()

"""Tools, and what form an answer is to have."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from inference.api.http.strict_schema import Part, Refused, either, unless, wrong
from inference.api.openai.schemas.messages import FunctionName
from inference.core.requests import Tool

_FUNCTIONS_ONLY = "tools are functions."
JsonSchema = dict[str, Any]
Parallel = Annotated[
    bool | None,
    Field(
        description="`false`: at most one call in an answer. A required or named call is exactly one, unless "
        "this is `true`."
    ),
]


class FunctionBody(Part):
    """A function the model may call."""

    name: FunctionName = Field(description="1 to 64 letters, digits, `_` and `-`; unique among the tools.")
    description: str | None = Field(None, description="What it does; the model reads it.")
    parameters: JsonSchema | None = Field(
        None, description="A JSON Schema of its arguments; none for a function without any."
    )
    strict: bool | None = Field(
        None,
        description=(
            "`true` has the arguments follow the schema, enforced while decoding; they always do where a "
            "call is required or named. Refused with `auto` where the model's calls have no mark (Llama 3)."
        ),
    )


class ToolBody(Part):
    refused = {"custom": Refused(_FUNCTIONS_ONLY)}

    type: Annotated[Literal["function"], unless("custom", why=_FUNCTIONS_ONLY)] = Field(
        description="`function`."
    )
    function: FunctionBody = Field(description="The function.")

    def tool(self) -> Tool:
        return tool_of(self.function.name, self.function.description, self.function.parameters)


def tool_of(name: str, description: str | None, parameters: JsonSchema | None) -> Tool:
    """A tool for the model to read; without parameters it takes an empty object."""
    if parameters is None:
        return Tool(name=name, description=description or "")
    return Tool(name=name, description=description or "", parameters=json.dumps(parameters))


class NamedFunction(Part):
    name: FunctionName = Field(description="One of the tools.")


class NamedTool(Part):
    refused = {
        "allowed_tools": Refused("send only the tools that are allowed."),
        "custom": Refused(_FUNCTIONS_ONLY),
    }

    type: Annotated[
        Literal["function"],
        unless("allowed_tools", why="send only the tools that are allowed."),
        unless("custom", why=_FUNCTIONS_ONLY),
    ] = Field(description="`function`.")
    function: NamedFunction = Field(description="The function to be called.")


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")] | Annotated[NamedTool, Tag("<object>")],
    either(
        {"<word>": str, "<object>": dict}, "'none', 'auto', 'required' or an object that names a function"
    ),
]


def check_tools(
    names: list[str],
    chosen: str,
    name_at: str = "tools.{}.function.name",
    chosen_at: str = "tool_choice.function.name",
) -> None:
    """What tools and the choice among them must keep; `chosen` as in ChatCompletionBody.chosen."""
    twice = next((place for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise wrong("name_twice", "Another tool has this name already", name_at.format(twice))
    if chosen.startswith("=") and chosen[1:] not in names:
        raise wrong("no_such_tool", "There is no tool with this name", chosen_at)
    if chosen == "required" and not names:
        raise wrong("no_tools", "It is only allowed together with tools", "tool_choice")


def several(parallel: bool | None, chosen: str) -> bool:
    """Whether an answer may have more than one call: a call that is asked for is one, unless more are."""
    return bool(parallel) if parallel is not None else chosen in ("auto", "none")


def must_call(offered: tuple[Tool, ...], chosen: str) -> tuple[str, ...]:
    """The names of the functions one of which the answer has to call."""
    if chosen.startswith("="):
        return (chosen[1:],)
    return tuple(tool.name for tool in offered) if chosen == "required" else ()

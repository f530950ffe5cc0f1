"""The choice among the tools of a chat: `tool_choice`, and its older form `function_call`."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, Tag

from inference.api.http.strict_schema import Part, either
from inference.api.openai.schemas.calls import FunctionName
from inference.api.openai.schemas.object_types import by_type, known_types
from inference.api.openai.schemas.tools import MOST_TOOLS

_WORDS: Final = {"none": "none", "auto": "auto", "required": "required", "any": "required"}


def _in_a_word(value: Any) -> Any:
    """The word for a choice that names no tool: its other name, or an object that has it as its type."""
    fields = {name: one for name, one in value.items() if one is not None} if isinstance(value, dict) else {}
    word = fields.get("type") if fields.keys() == {"type"} else value
    return _WORDS.get(word, value) if isinstance(word, str) else value


in_a_word: Final = BeforeValidator(_in_a_word)


class NamedFunction(Part):
    name: FunctionName = Field(description="One of the functions.")


class NamedCustom(Part):
    name: FunctionName = Field(description="One of the custom tools.")


class NamedFunctionTool(Part):
    """A function, by its name."""

    type: Literal["function"] = Field(description="`function`.")
    function: NamedFunction = Field(description="The function.")

    @property
    def name(self) -> str:
        return self.function.name


class NamedCustomTool(Part):
    """A custom tool, by its name."""

    type: Literal["custom"] = Field(description="`custom`.")
    custom: NamedCustom = Field(description="The custom tool.")

    @property
    def name(self) -> str:
        return self.custom.name


NamedTool = Annotated[
    Annotated[NamedFunctionTool, Tag("<function>")] | Annotated[NamedCustomTool, Tag("<custom>")],
    by_type("function", "custom"),
    known_types("function", "custom"),
]


class AllowedTools(Part):
    mode: Literal["auto", "required"] = Field(
        description="`auto`: the model may call one of these tools; `required`: it must call one."
    )
    tools: Annotated[list[NamedTool], Field(min_length=1, max_length=MOST_TOOLS)] = Field(
        description="The tools, by name; the model sees no others."
    )


class AllowedToolsChoice(Part):
    """Some of the tools."""

    type: Literal["allowed_tools"] = Field(description="`allowed_tools`.")
    allowed_tools: AllowedTools = Field(description="The allowed tools, and whether a call is required.")


_OBJECTS = ("function", "custom", "allowed_tools")
_ObjectChoice = Annotated[
    Annotated[NamedFunctionTool, Tag("<function>")]
    | Annotated[NamedCustomTool, Tag("<custom>")]
    | Annotated[AllowedToolsChoice, Tag("<allowed_tools>")],
    by_type(*_OBJECTS),
    known_types(*_OBJECTS),
]
ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<word>")] | Annotated[_ObjectChoice, Tag("<object>")],
    either(
        {"<word>": str, "<object>": dict},
        "'none', 'auto', 'required' or an object that names a tool or those that are allowed",
    ),
    in_a_word,
]
FunctionChoice = Annotated[
    Annotated[Literal["none", "auto"], Tag("<word>")] | Annotated[NamedFunction, Tag("<object>")],
    either({"<word>": str, "<object>": dict}, "'none', 'auto' or an object with the name of a function"),
]

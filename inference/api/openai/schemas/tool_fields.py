"""The fields of a chat that are about its tools, in the newer and in the older form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from inference.api.http.strict_schema import unsupported, wrong
from inference.api.openai.schemas.thinking import ThinkingFields
from inference.api.openai.schemas.tool_choice import (
    AllowedToolsChoice,
    FunctionChoice,
    NamedFunction,
    NamedTool,
    ToolChoice,
)
from inference.api.openai.schemas.tools import (
    MOST_TOOLS,
    FunctionBody,
    Parallel,
    ToolBodies,
    check_names,
    must_call,
    several,
)
from inference.core.requests import Tool

_OLDER_NAMES = {
    "tools": "functions",
    "tool_choice": "function_call",
    "tool_choice.function.": "function_call.",
}


@dataclass(frozen=True)
class ListedTool:
    """One tool of a body, and where it is there."""

    tool: Tool
    kind: Literal["function", "custom"]
    path: str  # `tools.0`, or `functions.0`
    inner_path: str  # of the object with its name: `tools.0.function`
    is_strict: bool


class ToolFields(ThinkingFields):
    """Tools, the choice among them, and the same as functions."""

    tools: ToolBodies | None = Field(
        None,
        description=(
            "At most 128 functions and custom tools; refused if the model has no chat template, or its tool "
            "calls cannot be parsed. If the template renders no tools, the system message describes them."
        ),
    )
    tool_choice: ToolChoice | None = Field(
        None,
        description=(
            "`none` hides the tools from the model; `auto`, the default, lets it choose; `required`, or "
            "an object that names one tool, forces a call with arguments that follow the schema. "
            "`allowed_tools` hides all other tools. `any` is `required`, and `{type: WORD}` is WORD."
        ),
    )
    parallel_tool_calls: Parallel = None
    functions: Annotated[list[FunctionBody], Field(max_length=MOST_TOOLS)] | None = Field(
        None,
        description=(
            "The older form of `tools`; exclusive with it. The answer has at most one call, as "
            "`function_call`, and then the finish reason `function_call`."
        ),
    )
    function_call: FunctionChoice | None = Field(
        None,
        description=(
            "The older form of `tool_choice`: `none`, `auto`, or an object with the `name` of the function "
            "to call."
        ),
    )
    _listed: tuple[ListedTool, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _check_tool_forms(self) -> Self:
        if self.functions and self.tools:
            raise wrong(
                "two_forms", "It is not allowed together with tools; send one of the two", "functions"
            )
        for older, newer in (("functions", "tool_choice"), ("tools", "function_call")):
            if getattr(self, older) and getattr(self, newer) not in (None, "auto"):
                raise wrong("two_forms", f"It is not allowed together with {older}", newer)
        if self.functions and self.parallel_tool_calls:
            raise wrong("two_forms", "It is not allowed together with functions", "parallel_tool_calls")
        return self

    @model_validator(mode="after")
    def _check_tool_choice(self) -> Self:
        self._listed = tuple(self._list())
        check_names((f"{one.inner_path}.name", one.tool.name) for one in self._listed)
        for path, kind, name in self._named:
            if not any((one.kind, one.tool.name) == (kind, name) for one in self._listed):
                raise wrong("no_such_tool", "There is no tool with this name", path)
        if self.chosen == "required" and not self._listed:
            raise wrong("no_tools", "It is only allowed together with tools", "tool_choice")
        has_grammars = any(tool.input_definition for tool in self.offered)
        if self.ignore_eos and (self.follows_schemas or has_grammars):
            raise unsupported("<field> is not supported together with calls that are enforced.", "ignore_eos")
        return self

    @property
    def chosen(self) -> str:
        """`none`, `auto`, `required`, or `=` and the name of a tool."""
        match self.function_call if self.functions else self.tool_choice:
            case None:
                return "auto"
            case str() as word:
                return word
            case AllowedToolsChoice() as choice:
                return choice.allowed_tools.mode
            case named:
                return f"={named.name}"

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The tools that the model reads."""
        return tuple(one.tool for one in self._offered)

    @property
    def custom_names(self) -> frozenset[str]:
        """The names of the offered tools whose input is a text."""
        return frozenset(one.tool.name for one in self._offered if one.kind == "custom")

    @property
    def must_call(self) -> tuple[str, ...]:
        """The names of the tools one of which the answer has to call."""
        return must_call(self.offered, self.chosen)

    @property
    def may_call_several(self) -> bool:
        return not self.functions and several(self.parallel_tool_calls, self.chosen)

    @property
    def follows_schemas(self) -> bool:
        """Whether the arguments of calls have to: always where there must be one."""
        is_strict = any(one.is_strict for one in self._offered)
        return self.chosen != "none" and (is_strict or self.chosen != "auto")

    @property
    def own_names(self) -> Mapping[str, str]:
        names = dict(_OLDER_NAMES) if self.functions else {}
        for place, one in enumerate(self._offered):
            names[f"tools.{place}.function."] = f"{one.inner_path}."
            names[f"tools.{place}"] = one.path
            if one.kind == "custom":
                names[f"tools.{place}.function.parameters"] = f"{one.inner_path}.format"
        return {**super().own_names, **names}

    @property
    def _offered(self) -> tuple[ListedTool, ...]:
        if self.chosen == "none":
            return ()
        if not isinstance(self.tool_choice, AllowedToolsChoice):
            return self._listed
        allowed = {(kind, name) for _, kind, name in self._named}
        return tuple(one for one in self._listed if (one.kind, one.tool.name) in allowed)

    @property
    def _named(self) -> Iterator[tuple[str, str, str]]:
        """Path, kind and name of each tool that the choice names."""
        if isinstance(self.function_call, NamedFunction):
            yield "function_call.name", "function", self.function_call.name
        choice = self.tool_choice
        if isinstance(choice, AllowedToolsChoice):
            for place, named in enumerate(choice.allowed_tools.tools):
                yield _named_at(f"tool_choice.allowed_tools.tools.{place}", named)
        elif choice is not None and not isinstance(choice, str):
            yield _named_at("tool_choice", choice)

    def _list(self) -> Iterator[ListedTool]:
        for place, tool in enumerate(self.tools or ()):
            path = f"tools.{place}"
            yield ListedTool(tool.tool(), tool.type, path, f"{path}.{tool.type}", tool.is_strict)
        for place, function in enumerate(self.functions or ()):
            path = f"functions.{place}"
            yield ListedTool(function.tool(), "function", path, path, bool(function.strict))


def _named_at(path: str, named: NamedTool) -> tuple[str, str, str]:
    return f"{path}.{named.type}.name", named.type, named.name

"""The tools of a response as the model is offered them: functions with one flat set of names.

A namespace's tools become functions NAMESPACE__NAME. A custom tool becomes a function with one string,
`input`. What the model calls is given back under the client's own names.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from inference.api.http.strict_schema import wrong
from inference.api.openai.schemas.custom_tools import custom_tool
from inference.api.openai.schemas.response_tools import (
    AllowedChoice,
    CustomTool,
    FunctionTool,
    HostedTool,
    NamedChoice,
    NamespaceTool,
)
from inference.api.openai.schemas.tools import tool_of
from inference.core.requests import Tool

_MOST_NAME = 64
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")
Choice = str | NamedChoice | AllowedChoice | None
AnyTool = FunctionTool | CustomTool | NamespaceTool | HostedTool


@dataclass(frozen=True)
class OfferedTool:
    """One tool that the model may be offered, with the client's names for it."""

    tool: Tool
    kind: Literal["function", "custom"]
    name: str
    namespace: str | None
    path: str  # of the tool in the body
    is_strict: bool


def flat_name(name: str, namespace: str | None = None) -> str:
    """The name that the model knows: always the same for the same names, within OpenAI's pattern."""
    whole = f"{namespace.rstrip('_')}__{name}" if namespace else name
    flat = _UNSAFE.sub("_", whole)
    if flat == whole and len(flat) <= _MOST_NAME:
        return flat
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{flat[: _MOST_NAME - 9]}_{digest}"


class OfferedTools:
    """All tools of a body; `chosen` are those that the model is offered under its tool_choice.

    Raises a PydanticCustomError that names the field where names are not unique or a choice fits no tool.
    """

    def __init__(
        self,
        tools: Sequence[AnyTool],
        choice: Choice,
        added: Iterable[tuple[str, Sequence[AnyTool]]] = (),  # further lists, with their paths
    ) -> None:
        self.all: list[OfferedTool] = []
        self.omitted: list[str] = []
        for path, listed in (("tools.", tools), *added):
            for place, tool in enumerate(listed):
                self._add(tool, f"{path}{place}")
        self._check_names()
        self._choice = choice
        self.chosen = tuple(self._allowed())
        if self.mode == "required" and not self.chosen:
            says = "It is only allowed together with tools that can be offered"
            raise wrong("no_tools", says, "tool_choice")

    @property
    def mode(self) -> str:
        """`none`, `auto`, `required`, or `=` and the flat name of a tool."""
        match self._choice:
            case NamedChoice(name=name, namespace=namespace):
                return f"={self._find('tool_choice.name', name, namespace).tool.name}"
            case AllowedChoice(mode=mode):
                return mode
            case str() as word:
                return word
        return "auto"

    @property
    def by_flat_name(self) -> Mapping[str, OfferedTool]:
        return {one.tool.name: one for one in self.all}

    @property
    def field_names(self) -> Mapping[str, str]:
        """Where in the body the fields of each offered tool are, for errors that name one."""
        names: dict[str, str] = {}
        for place, one in enumerate(self.chosen):
            names[f"tools.{place}.function."] = f"{one.path}."
            names[f"tools.{place}"] = one.path
            if one.kind == "custom":
                names[f"tools.{place}.function.parameters"] = f"{one.path}.format"
        return names

    def _add(self, tool: AnyTool, path: str, group: NamespaceTool | None = None) -> None:
        match tool:
            case HostedTool():
                self.omitted.append(f"{path}:{tool.type}")
            case NamespaceTool():
                for place, inner in enumerate(tool.tools):
                    self._add(inner, f"{path}.tools.{place}", tool)
            case FunctionTool() | CustomTool():
                # Once for each namespace: it may be long, and every model reads all of the descriptions.
                is_first = group is not None and all(one.namespace != group.name for one in self.all)
                about = group.description if group and is_first else None
                self.all.append(_offered(tool, path, group.name if group else None, about))

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for one in self.all:
            if one.tool.name in seen:
                raise wrong("name_twice", "Another tool has this name already", f"{one.path}.name")
            seen[one.tool.name] = one.path

    def _allowed(self) -> Iterator[OfferedTool]:
        if self._choice == "none":
            return
        if not isinstance(self._choice, AllowedChoice):
            if isinstance(self._choice, NamedChoice):
                self._find("tool_choice.name", self._choice.name, self._choice.namespace)
            yield from self.all
            return
        wanted = list(self._named_by(self._choice))
        yield from (one for one in self.all if one in wanted)

    def _named_by(self, choice: AllowedChoice) -> Iterator[OfferedTool]:
        for place, allowed in enumerate(choice.tools):
            at = f"tool_choice.tools.{place}"
            if allowed.type == "namespace":
                yield from self._of_namespace(allowed.name or "", f"{at}.name")
            elif allowed.type in ("function", "custom"):
                yield self._find(f"{at}.name", allowed.name or "", allowed.namespace)
            else:
                self.omitted.append(f"{at}:{allowed.type}")

    def _of_namespace(self, name: str, at: str) -> Iterable[OfferedTool]:
        if found := [one for one in self.all if one.namespace == name]:
            return found
        raise wrong("no_such_tool", "There is no namespace with this name", at)

    def _find(self, at: str, name: str, namespace: str | None) -> OfferedTool:
        """The tool of these names; without a namespace also the only one of this name in any."""
        exact = [one for one in self.all if (one.name, one.namespace) == (name, namespace)]
        loose = [one for one in self.all if one.name == name or one.tool.name == name]
        if exact or (namespace is None and len(loose) == 1):
            return (exact or loose)[0]
        raise wrong("no_such_tool", "There is no tool with this name", at)


def _offered(
    tool: FunctionTool | CustomTool, path: str, namespace: str | None, namespace_about: str | None
) -> OfferedTool:
    name = flat_name(tool.name, namespace)
    about = "\n\n".join(text for text in (namespace_about, tool.description) if text)
    if isinstance(tool, FunctionTool):
        made = tool_of(name, about, tool.parameters, is_strict=bool(tool.strict))
        return OfferedTool(made, "function", tool.name, namespace, path, bool(tool.strict))
    form = tool.format
    made = custom_tool(name, about, (form and form.syntax) or "", (form and form.definition) or "")
    return OfferedTool(made, "custom", tool.name, namespace, path, is_strict=False)

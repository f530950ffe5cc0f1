"""Messages and tools in the structure that chat templates expect, with every control token quoted."""

import json
from collections.abc import Callable
from typing import Any

import jinja2

from inference.adapters.tool_calls.tool_format import ToolFormat
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import PICTURE, Message, Tool, ToolCall

Turns = list[dict[str, Any]]


class TemplateInput:
    """Converts messages and tools to OpenAI's structure, which chat templates have adopted.

    Every string is quoted, so that text which spells a control token stays text. Ids get the form that the
    call format requires. `in_parts`: the template takes a list of parts as content, and no text.
    """

    def __init__(
        self, quote: Callable[[str], str], call_format: ToolFormat | None = None, *, in_parts: bool = False
    ) -> None:
        self.quote = quote
        self._format = call_format
        self._in_parts = in_parts

    def turn(self, message: Message) -> dict[str, Any]:
        """A message; what it does not have is left out, since templates test whether it is defined."""
        turn: dict[str, Any] = {"role": message.role, "content": self._content(message)}
        if message.name:
            turn["name"] = self.quote(message.name)
        if message.reasoning:
            turn["reasoning_content"] = self.quote(message.reasoning)
        if message.tool_calls:
            turn["tool_calls"] = [self._call(call) for call in message.tool_calls]
        if message.tool_call_id:
            turn["tool_call_id"] = self._id(message.tool_call_id)
        return turn

    def function(self, tool: Tool) -> dict[str, Any]:
        """A tool with parsed parameters: templates write them as JSON."""
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": json.loads(tool.parameters),
        }
        return {"type": "function", "function": self._quoted(function)}

    def _content(self, message: Message) -> str | list[dict[str, str]]:
        """A text, or the parts of one with pictures."""
        if not (message.pictures or self._in_parts):
            return self.quote(message.content)
        first, *rest = message.content.split(PICTURE)
        parts = [{"type": "text", "text": self.quote(first)}]
        for text in rest:
            parts += [{"type": "image"}, {"type": "text", "text": self.quote(text)}]
        return [part for part in parts if part.get("text") != ""] or parts

    def _call(self, call: ToolCall) -> dict[str, Any]:
        function = {"name": self.quote(call.name), "arguments": self._arguments(call.arguments)}
        return {"id": self._id(call.id), "type": "function", "function": function}

    def _arguments(self, text: str) -> Any:
        """Parsed, if it is an object: most templates write it as JSON, and would quote a string."""
        try:
            arguments = json.loads(text)
            json.dumps(arguments, ensure_ascii=False).encode()  # half a surrogate pair cannot be encoded
            return self._quoted(arguments) if isinstance(arguments, dict) else self.quote(text)
        except (ValueError, RecursionError):
            return self.quote(text)

    def _id(self, given: str) -> str:
        return self.quote(self._format.valid_id(given) if self._format else given)

    def _quoted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.quote(value)
        if isinstance(value, list):
            return [self._quoted(item) for item in value]
        if isinstance(value, dict):
            return {self.quote(key): self._quoted(item) for key, item in value.items()}
        return value


def with_calls_as_text(turns: Turns, format_of: type[JsonList], result_role: str) -> Turns:
    """The turns for a template that does not render calls: what the model wrote is text of its turn."""
    return [_with_call_text(turn, format_of, result_role) for turn in turns]


def _with_call_text(turn: dict[str, Any], format_of: type[JsonList], result_role: str) -> dict[str, Any]:
    if turn["role"] == "tool":
        return {**turn, "role": result_role}
    if "tool_calls" not in turn:
        return turn
    calls = [call["function"] for call in turn["tool_calls"]]
    kept = {name: value for name, value in turn.items() if name != "tool_calls"}
    return {**kept, "content": turn["content"] + format_of.call_text(calls)}


def variables_of(template: str) -> frozenset[str]:
    """The names of variables that the code of a template uses, attributes aside; none if it is invalid."""
    names: set[str] = set()
    before = ""
    try:
        for _, kind, value in jinja2.Environment(autoescape=True).lex(template):
            if kind == "name" and before != ".":
                names.add(value)
            before = before if kind == "whitespace" else value
    except jinja2.TemplateSyntaxError:
        return frozenset()  # rendering reports it
    return frozenset(names)

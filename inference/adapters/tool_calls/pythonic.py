"""Calls in Python's syntax: [name(key=value, …), …], with the values of Python or JSON.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/ - some templates of Llama 4 ask for them,
without markers; LFM2 writes its own markers around them (https://docs.liquid.ai/lfm/key-concepts/tool-use).
Names are those of tools and parameters, so they may be Python keywords
(https://github.com/vllm-project/vllm/issues/48171) and contain dashes and dots.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from inference.adapters.tool_calls.grammar_rules import RuleBook, Unwritable, json_rule, literal
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals
from inference.adapters.tool_calls.object_shapes import ObjectShape, shapes_of
from inference.adapters.tool_calls.string_escapes import json_string
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool

_NAME = re.compile(r"[^\s()\[\]{}=,\"'`<]{1,256}")
_BEGINNING = re.compile(rf"\s*(\[\s*({_NAME.pattern}\s*(\(.*)?)?)?", re.DOTALL)
_FUNCTION_NAME = re.compile(rf"\s*\[?\s*({_NAME.pattern})\s*\(")


class Pythonic(WholeCalls):
    """A list of calls between the markers of LFM2."""

    name = "pythonic"
    begin, end = "<|tool_call_start|>", "<|tool_call_end|>"
    bare_begin: ClassVar[str] = "["
    ends_with_answer = True

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template

    def function_name(self, held: str) -> str | None:
        found = _FUNCTION_NAME.match(held)
        return found[1] if found else None

    def can_become(self, body: str) -> bool:
        return _BEGINNING.fullmatch(body) is not None

    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return PythonCalls(body).calls()

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = RuleBook()
        calls = [rules.add(self._call_of(tool, rules)) for tool in tools]
        start = self._start_rule(several)
        return "\n".join([f"start: {start}", f"call: {' | '.join(calls)}", *rules.lines]) + "\n"

    def _start_rule(self, several: bool) -> str:
        more = '(", " call)*' if several else ""
        opened, closed = (f"{self._mark_rule(mark)} " if mark else "" for mark in self._required_marks())
        return f'{opened}"[" call {more} "]" {closed}'.strip()

    def _required_marks(self) -> tuple[str, str]:
        """The markers that a required call has."""
        return self.begin, self.end

    def _call_of(self, tool: Tool, rules: RuleBook) -> str:
        arguments = [self._arguments(shape, rules) for shape in shapes_of(Schema.of(tool.parameters))]
        if not arguments:
            raise Unwritable("no arguments follow the schema")
        return f'{literal(f"{tool.name}(")} ({" | ".join(arguments)}) ")"'

    def _arguments(self, shape: ObjectShape, rules: RuleBook) -> str:
        members = []
        for key, schema in shape.members.items():
            is_required = key in shape.required
            if _NAME.fullmatch(key) and schema.types:
                rule = f"{literal(f'{key}=')} {rules.add(json_rule(schema.standalone()))}"
                members.append((rule, is_required))
            elif is_required:
                raise Unwritable(f"its parameter {key[:64]!r} cannot be written in this model's tool calls")
        return rules.members(members, literal(", "))


class PythonCalls(Literals):
    """Parses one body: a list of calls, or one call without the brackets of a list."""

    joins_strings = True

    def calls(self) -> list[tuple[str, str]]:
        """Name and JSON arguments of each call; raises ValueError, or Unfinished inside a string."""
        calls = self.items_until("]", self._call) if self.accept("[") else [self._call()]
        if not self.is_at_end:
            raise ValueError("something else follows the calls")
        return calls

    def _call(self) -> tuple[str, str]:
        name = self.match(_NAME)
        self.expect("(")
        arguments = self.items_until(")", self._argument)
        if len({key for key, _ in arguments}) < len(arguments):
            raise ValueError("an argument is given twice")
        members = ", ".join(f"{json_string(key)}: {value}" for key, value in arguments)
        return name, f"{{{members}}}"

    def _argument(self) -> tuple[str, str]:
        key = self.match(_NAME)
        self.expect("=")
        return key, self.value()

"""Calls written as Python: [name(key=value, …), …], where values are Python's or JSON's.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/ - Llama 4 is told to write them so where its
template is one for that, and without marks; LFM2 puts them between its own
(https://docs.liquid.ai/lfm/key-concepts/tool-use). Names are those of tools and parameters, so any may come:
keywords of Python (https://github.com/vllm-project/vllm/issues/48171), with dashes and with dots.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from inference.adapters.tool_calls.grammar_rules import RuleBook, Unwritable, json_rule, literal
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, json_string
from inference.adapters.tool_calls.object_shapes import Shape, shapes_of
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool

_NAME = re.compile(r"[^\s()\[\]{}=,\"'`<]{1,256}")
_BEGINNING = re.compile(rf"\s*(\[\s*({_NAME.pattern}\s*(\(.*)?)?)?", re.DOTALL)
_NAMED = re.compile(rf"\s*\[?\s*({_NAME.pattern})\s*\(")


class Pythonic(WholeCalls):
    """A list of calls; LFM2's marks."""

    name = "pythonic"
    begin, end = "<|tool_call_start|>", "<|tool_call_end|>"
    bare_begin: ClassVar[str] = "["
    ends_with_answer = True

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template

    def named(self, held: str) -> str | None:
        found = _NAMED.match(held)
        return found[1] if found else None

    def may_become(self, body: str) -> bool:
        return _BEGINNING.fullmatch(body) is not None

    def _calls(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return PythonCalls(body).calls()

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = RuleBook()
        calls = [rules.named(self._call_of(tool, rules)) for tool in tools]
        start = self._answer(several)
        return "\n".join([f"start: {start}", f"call: {' | '.join(calls)}", *rules.made]) + "\n"

    def _answer(self, several: bool) -> str:
        more = '(", " call)*' if several else ""
        opened, closed = (f"{self._mark(mark)} " if mark else "" for mark in self._framing())
        return f'{opened}"[" call {more} "]" {closed}'.strip()

    def _framing(self) -> tuple[str, str]:
        """The marks that a required call has."""
        return self.begin, self.end

    def _call_of(self, tool: Tool, rules: RuleBook) -> str:
        arguments = [self._arguments(shape, rules) for shape in shapes_of(Schema.of(tool.parameters))]
        if not arguments:
            raise Unwritable("no arguments follow the schema")
        return f'{literal(f"{tool.name}(")} ({" | ".join(arguments)}) ")"'

    def _arguments(self, shape: Shape, rules: RuleBook) -> str:
        members = []
        for key, schema in shape.members.items():
            is_required = key in shape.required
            if _NAME.fullmatch(key) and schema.types:
                said = f"{literal(f'{key}=')} {rules.named(json_rule(schema.alone()))}"
                members.append((said, is_required))
            elif is_required:
                raise Unwritable(f"its parameter {key[:64]!r} cannot be written in this model's calls")
        return rules.members(members, literal(", "))


class PythonCalls(Literals):
    """Reads one body: a list of calls, or one without its brackets."""

    joins_strings = True

    def calls(self) -> list[tuple[str, str]]:
        """Name and JSON arguments of each; raises ValueError, and Unfinished within a string."""
        told = self.listed("]", self._call) if self.takes("[") else [self._call()]
        if not self.is_at_end:
            raise ValueError("something else follows the calls")
        return told

    def _call(self) -> tuple[str, str]:
        name = self.matched(_NAME)
        self.take("(")
        told = self.listed(")", self._argument)
        if len({key for key, _ in told}) < len(told):
            raise ValueError("an argument is given twice")
        return name, f"{{{', '.join(f'{json_string(key)}: {value}' for key, value in told)}}}"

    def _argument(self) -> tuple[str, str]:
        key = self.matched(_NAME)
        self.take("=")
        return key, self.value()

"""The calls of FunctionGemma and Gemma 4: call:name{key:value}, where only strings have markers around them.

https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices - keys have no quotes and
are sorted, as the templates write them; Gemma 4 has the same notation with other markers.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from inference.adapters.tool_calls.gemma_grammar import PLAIN_KEY, GemmaRules
from inference.adapters.tool_calls.grammar_rules import literal
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import Literals, Unfinished
from inference.adapters.tool_calls.string_escapes import json_string
from inference.adapters.tool_calls.unquoted_values import value_of
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool

# Gemma 4 sometimes omits `call:`, or repeats the colon (https://github.com/vllm-project/vllm/issues/53431).
_CALL = re.compile(r"\s*:?(?:call:)?([^\s(){}:]{1,64})\s*(?=[({])")
_BEGINNING = re.compile(r"\s*:?(?:call:)?([^\s(){}:]{1,64}\s*([({].*)?)?", re.DOTALL)
_BARE = re.compile(r"[^,:{}\[\]()\"'`<]+")  # a colon would belong to another argument
_ANYTHING = Schema(True)


class GemmaCalls(WholeCalls):
    """Calls between the markers of Gemma 4."""

    name = "gemma4"
    begin, end = "<|tool_call>", "<tool_call|>"
    quote: ClassVar[str] = '<|"|>'
    ends_with_answer = True

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and cls.end in template

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, self.quote

    def function_name(self, held: str) -> str | None:
        found = _CALL.match(held)
        return found[1] if found else None

    def can_become(self, body: str) -> bool:
        return _BEGINNING.fullmatch(body) is not None

    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        notation, calls = Notation(body, self.quote), []
        while not notation.is_at_end:
            found = _CALL.match(body, notation.place)
            if not found:
                raise ValueError("no call is next")
            tool = tools.get(found[1])
            notation.place = found.end()
            calls.append((found[1], notation.members(Schema.of(tool.parameters) if tool else _ANYTHING)))
        return calls

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = GemmaRules(self._mark_rule(self.quote), self.quote)
        calls = []
        for tool in tools:
            arguments = rules.object_of(Schema.of(tool.parameters))
            opened = literal(f"call:{tool.name}")
            calls.append(f"({self._mark_rule(self.begin)} {opened} {arguments} {self._mark_rule(self.end)})")
        start = "call+" if several else "call"
        return "\n".join([f"start: {start}", f"call: {' | '.join(calls)}", *rules.lines]) + "\n"


class FunctionGemmaCalls(GemmaCalls):
    name = "function_gemma"
    begin, end = "<start_function_call>", "<end_function_call>"
    quote = "<escape>"


class Notation(Literals):
    """Parses arguments, whose strings are between markers, or in the quotes of JSON and Python.

    The schema decides about values without quotes; with a quote inside, such a value is invalid. Gemma 4 also
    writes round brackets (https://github.com/vllm-project/vllm/issues/53642).
    """

    def __init__(self, text: str, quote: str) -> None:
        super().__init__(text)
        self._quote = quote

    def members(self, schema: Schema) -> str:
        """Read an object between brackets of either kind; raises ValueError and Unfinished."""
        closing = ")" if self.accept("(") else "}"
        if closing == "}":
            self.expect("{")
        members = self.items_until(closing, lambda: self._member_of(schema))
        if len({key for key, _ in members}) < len(members):
            raise ValueError("an argument is given twice")
        written = ", ".join(f"{json_string(key)}: {value}" for key, value in members)
        return f"{{{written}}}"

    def _member_of(self, schema: Schema) -> tuple[str, str]:
        key = self._key()
        self.expect(":")
        return key, self._typed(schema.member(key))

    def _key(self) -> str:
        if self.accept(self._quote):
            return self._quoted()
        return str(json.loads(self.string())) if self.is_string_next else self.match(PLAIN_KEY)

    def _typed(self, schema: Schema) -> str:
        if self.accept(self._quote):
            return json_string(self._quoted())
        if self.is_string_next:
            return self.string()
        if self.is_next("{"):
            return self.members(schema)
        if self.accept("["):
            return self._items(schema)
        return value_of(self.match(_BARE).strip(), schema)

    def _items(self, schema: Schema) -> str:
        items: list[str] = []
        self.items_until("]", lambda: items.append(self._typed(schema.item(len(items)))))
        return f"[{', '.join(items)}]"

    def _quoted(self) -> str:
        end = self.text.find(self._quote, self.place)
        if end < 0:
            raise Unfinished("a string does not end")
        text, self.place = self.text[self.place : end], end + len(self._quote)
        return text

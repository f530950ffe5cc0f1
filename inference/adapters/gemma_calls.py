"""The calls of FunctionGemma and Gemma 4: call:name{key:value}, where only strings stand between marks.

https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices - keys are bare and in the order
of the alphabet, as the templates write them; Gemma 4 has the same notation with other marks.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.grammar_rules import RuleBook
from inference.adapters.tool_formats import ToolFormat, literal
from inference.requests import Tool

# Gemma 4 sometimes forgets the word, or repeats the colon (vllm#53431).
_CALL = re.compile(r"\s*:?(?:call:)?([^\s(){}:]{1,64})\s*(?=\{)")
_BEGINNING = re.compile(r"\s*:?(?:call:)?([^\s(){}:]{1,64}\s*([({].*)?)?", re.DOTALL)
# It also writes round brackets (vllm#53642).
_ROUND = re.compile(r"(\s*:?call:[^\s(){}:]{1,64}\s*)\((.*)\)\s*", re.DOTALL)
_BARE = re.compile(r"[^,{}\[\]]*")
_KEY = re.compile(r"[^,:{}\[\]]*")
_VALUES = r"""
any: string | NUMBER | "true" | "false" | "null" | any_list | any_object
any_list: "[" (any ("," any)*)? "]"
any_object: "{" (KEY ":" any ("," KEY ":" any)*)? "}"
NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/
KEY: /[A-Za-z_][A-Za-z0-9_-]*/
"""


class GemmaCalls(ToolFormat):
    """Gemma 4's marks; FunctionGemma has others."""

    name = "gemma4"
    begin, end = "<|tool_call>", "<tool_call|>"
    quote: ClassVar[str] = '<|"|>'
    is_whole = True
    ends_with_answer = True

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and cls.end in template

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, self.quote

    def may_become(self, body: str) -> bool:
        return _BEGINNING.fullmatch(body) is not None

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        calls = []
        body = _ROUND.sub(r"\1{\2}", body) if _ROUND.fullmatch(body) else body
        while body.strip():
            found = _CALL.match(body)
            if not found:
                return ()
            try:
                notation = Notation(body, found.end(), self.quote)
                calls.append((found[1], json.dumps(notation.members(), allow_nan=False)))
            except (ValueError, RecursionError):
                return ()
            body = body[notation.place :]
        return calls

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        quote = self._mark(self.quote)
        # A token that is a mark is never read as text, so that any text may stand before it.
        text = r"/(.|\n)*/" if quote.startswith("<[") else r"/[^<]*/"
        rules = Rules(f"({quote} TEXT {quote})", lambda said: f"({quote} {literal(said)} {quote})")
        calls = []
        for tool in tools:
            arguments = rules.object_of(json.loads(tool.parameters))
            opened = literal(f"call:{tool.name}")
            calls.append(f"({self._mark(self.begin)} {opened} {arguments} {self._mark(self.end)})")
        start = "call+" if several else "call"
        string = f"string: {quote} TEXT {quote}\nTEXT: {text}"
        return "\n".join([f"start: {start}", f"call: {' | '.join(calls)}", *rules.made, string]) + _VALUES


class FunctionGemmaCalls(GemmaCalls):
    name = "function_gemma"
    begin, end = "<start_function_call>", "<end_function_call>"
    quote = "<escape>"


class Notation:
    """Reads one object from `place` on; raises ValueError where there is none."""

    def __init__(self, text: str, place: int, quote: str) -> None:
        self.place = place
        self._text = text
        self._quote = quote

    def members(self) -> dict[str, Any]:
        return dict(self._listed("{", "}", self._member))

    def _listed(self, opening: str, closing: str, read: Callable[[], Any]) -> Iterator[Any]:
        self._take(opening)
        if self._takes(closing):
            return
        while True:
            yield read()
            if self._takes(closing):
                return
            self._take(",")

    def _member(self) -> tuple[str, Any]:
        key = self._string() if self._is_next(self._quote) else self._matched(_KEY)
        self._take(":")
        return key, self._value()

    def _value(self) -> Any:
        if self._is_next(self._quote):
            return self._string()
        if self._is_next("{"):
            return self.members()
        if self._is_next("["):
            return list(self._listed("[", "]", self._value))
        if self._is_next('"'):  # the model has fallen back to JSON
            value, self.place = json.JSONDecoder().raw_decode(self._text, self.place)
            return value
        return _bare(self._matched(_BARE))

    def _string(self) -> str:
        self._take(self._quote)
        end = self._text.index(self._quote, self.place)
        text, self.place = self._text[self.place : end], end + len(self._quote)
        return text

    def _matched(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self.place)
        text = found[0].strip() if found else ""
        if not found or not text:
            raise ValueError("a key or a value is missing")
        self.place = found.end()
        return text

    def _is_next(self, mark: str) -> bool:
        while self._text[self.place : self.place + 1].isspace():
            self.place += 1
        return self._text.startswith(mark, self.place)

    def _takes(self, mark: str) -> bool:
        is_next = self._is_next(mark)
        self.place += len(mark) if is_next else 0
        return is_next

    def _take(self, mark: str) -> None:
        if not self._takes(mark):
            raise ValueError(f"{mark} is missing")


class Rules(RuleBook):
    """Writes JSON Schemas as rules of an llguidance grammar; the bounds of texts and lists are left open."""

    def __init__(self, string: str, quoted: Callable[[str], str]) -> None:
        super().__init__()
        self._string = string
        self._quoted = quoted

    def object_of(self, schema: Mapping[str, Any]) -> str:
        """An object with the properties it may and must have, in the order of the alphabet."""
        properties: Mapping[str, Any] = schema.get("properties") or {}
        if not properties:
            return "any_object" if schema.get("additionalProperties") else '"{}"'
        required = set(schema.get("required") or ())
        first = rest = self.named('""')
        for key in sorted(properties, key=str.lower, reverse=True):
            member = f"{literal(f'{key}:')} {self._value(properties[key])}"
            with_first, with_rest = f"{member} {rest}", f'"," {member} {rest}'
            first = self.named(with_first if key in required else f"{with_first} | {first}")
            rest = self.named(with_rest if key in required else f"{with_rest} | {rest}")
        return f'"{{" {first} "}}"'

    def _value(self, schema: Any) -> str:
        if not isinstance(schema, Mapping):
            return "any"
        if "const" in schema or "enum" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            return self.named(" | ".join(self._constant(value) for value in values))
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self.named(" | ".join(self._value(choice) for choice in choices))
        kind = schema.get("type")
        if isinstance(kind, list):
            return self.named(" | ".join(self._value({**schema, "type": one}) for one in kind))
        return self._of_type(kind, schema)

    def _of_type(self, kind: object, schema: Mapping[str, Any]) -> str:
        if kind == "object":
            return self.named(self.object_of(schema))
        if kind == "array":
            item = self._value(schema.get("items"))
            some = f'{item} ("," {item})*'
            return self.named(f'"[" {some} "]"' if schema.get("minItems") else f'"[" ({some})? "]"')
        if kind in ("integer", "number", "boolean", "null"):  # written as JSON writes them, bounds and all
            return self.named(f"%json {json.dumps(dict(schema))}")
        return self._string if kind == "string" else "any"

    def _constant(self, value: Any) -> str:
        return self._quoted(value) if isinstance(value, str) else literal(json.dumps(value))


def _bare(text: str) -> Any:
    if text == "None":  # as templates write null
        return None
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text

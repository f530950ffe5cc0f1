"""Calls with a tag for each argument: no JSON around them, and strings bare, so the schema says what is one.

What a value is taken for follows the tool's parameters: one that may only be a string is its text as it is,
any other is JSON where it can be. Templates write True and None as Python does, so models do, too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.tool_formats import PLAIN, ToolFormat, literal
from inference.requests import Tool

_PYTHON = {"True": True, "False": False, "None": None}
_NAMED = re.compile(r"[^\s<>]{1,64}(?:>|\Z)")
_DEFINITIONS = ("$defs", "definitions")
_TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_TYPES |= {list: "array", dict: "object", type(None): "null"}


class XmlCalls(ToolFormat):
    """A manner is told by its texts, which the grammar writes, and by two patterns, which read an answer.

    `opening` has the {name}, `argument` the {key}; `pattern` has the groups name and body, `parameter` has
    key and value, and `string` where the notation itself says whether the value is one.
    """

    is_whole = True
    opening: ClassVar[str] = ""
    argument: ClassVar[str] = ""
    value_end: ClassVar[str] = ""
    closing_text: ClassVar[str] = ""
    pattern: ClassVar[re.Pattern[str]]
    parameter: ClassVar[re.Pattern[str]]

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        calls = []
        for found in _all_of(self.pattern, body):
            parameters = _all_of(self.parameter, found["body"])
            if found["name"] not in tools or (found["body"].strip() and not parameters):
                return ()
            schemas = _properties(json.loads(tools[found["name"]].parameters))
            arguments = {one["key"]: self._value(one, schemas.get(one["key"])) for one in parameters}
            calls.append((found["name"], json.dumps(arguments)))
        return calls

    def _value(self, found: re.Match[str], schema: Any) -> Any:
        return typed(found["value"], schema)

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules: list[str] = []
        for place, tool in enumerate(tools):
            arguments = self._arguments(json.loads(tool.parameters), f"call_{place}", rules)
            opened = self._said(self.opening.format(name=tool.name))
            rules.append(f"call_{place}: {opened} {arguments} {self._said(self.closing_text)}")
        any_call = " | ".join(f"call_{place}" for place in range(len(tools)))
        return "\n".join([f"start: {self._answer(several)}", f"call: {any_call}", *rules]) + "\n"

    def _arguments(self, schema: Mapping[str, Any], call: str, rules: list[str]) -> str:
        """The declared parameters in their order, each in a rule of its own; those not required may lack."""
        required = set(schema.get("required") or ())
        shared = {key: schema[key] for key in _DEFINITIONS if key in schema}
        said = []
        for place, (key, value) in enumerate(_properties(schema).items()):
            name = f"{call}_{place}"
            argument = self.argument.format(key=key, string="true" if is_string(value) else "false")
            rules.append(f"{name}: {self._said(argument)} {self._typed_rule(name, value, shared, rules)}")
            said.append(name if key in required else f"{name}?")
        return " ".join(said)

    def _typed_rule(self, name: str, schema: Any, shared: Mapping[str, Any], rules: list[str]) -> str:
        """A value and what ends it."""
        end = self._said(self.value_end)
        before, token, behind = end.partition("<[")
        if isinstance(schema, Mapping) and ("enum" in schema or "const" in schema):
            choices = schema["enum"] if "enum" in schema else [schema["const"]]
            return f"({' | '.join(literal(_bare(choice)) for choice in choices)}) {end}"
        if "string" not in _types(schema):
            inner = schema if isinstance(schema, Mapping) else {}
            rules.append(f"{name}_json: %json {json.dumps({**inner, **shared, 'x-guidance': PLAIN})}")
            return f"{name}_json {end}"
        if token and before:  # text up to the token: any number of pieces that end as what is before it
            rules.append(f"{name}_text[suffix={before.strip()}]: /(.|\\n)*/")
            return f"{name}_text+ {token}{behind}"
        if token:
            rules.append(f"{name}_text: /(.|\\n)*/")
            return f"{name}_text {end}"
        suffix = self.value_end.rstrip("\n")
        rules.append(f"{name}_text[suffix={literal(suffix)}]: /(.|\\n)*/")
        return f"{name}_text {self._said(self.value_end.removeprefix(suffix))}"


class XmlSection(XmlCalls):
    """Several calls between one pair of marks, each whole in itself."""

    ends_with_answer = True

    def _answer(self, several: bool) -> str:
        calls = "call+" if several else "call"
        return f'/\\n?\\n?/ {self._said(self.begin)} "\\n" {calls} {self._said(self.end)}'


class FunctionXml(XmlCalls):
    """<tool_call><function=name><parameter=key>: Qwen3-Coder, Qwen 3.5, Nemotron 3 and others.

    https://huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct/blob/main/qwen3coder_tool_parser.py - behind
    other text Qwen3-Coder forgets the first tag of every fifth call (https://github.com/QwenLM/Qwen3-Coder/issues/475,
    https://github.com/ollama/ollama/pull/17742), and sometimes the last one too.
    """

    name = "function_xml"
    begin, end = "<tool_call>", "</tool_call>"
    other_begins = ("<function=",)
    ends_with_answer = True
    opening = "<tool_call>\n<function={name}>\n"
    argument = "<parameter={key}>\n"
    value_end = "\n</parameter>\n"
    closing_text = "</function>\n</tool_call>"
    pattern = re.compile(
        r"\s*(?:<function=)?(?P<name>[^\s<>]{1,64})>(?P<body>.*?)"
        r"</function>(?=\s*(?:<function=|\Z))",
        re.DOTALL,
    )
    # A value may hold the text of its own end; what follows tells that it is not the end.
    parameter = re.compile(
        r"\s*<parameter=(?P<key>[^<>\n]{1,256})>\n?(?P<value>.*?)\n?</parameter>(?=\s*(?:<parameter=|\Z))",
        re.DOTALL,
    )

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and "<function=" in template and "<parameter=" in template

    def _answer(self, several: bool) -> str:
        return f"/\\n?\\n?/ {super()._answer(several)}"  # blank lines after the reasoning

    def may_become(self, body: str) -> bool:
        said, tag = body.lstrip(), "<function="
        return tag.startswith(said[: len(tag)]) or _NAMED.match(said) is not None


def typed(text: str, schema: Any) -> Any:
    """The value that `text` stands for where this schema is asked for; the text itself if for none."""
    types = _types(schema)
    if types == {"string"} or ("string" in types and text.lstrip().startswith('"')):
        return text
    try:
        value = _PYTHON[text.strip()] if text.strip() in _PYTHON else json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, float) and value.is_integer() and types >= {"integer"} and "number" not in types:
        value = int(value)
    kind = _TYPES[type(value)]
    fits = not types or kind in types or (kind == "integer" and "number" in types)
    # What fits nothing that is asked for is text where a text will do, and else the model's own affair.
    return value if fits or "string" not in types else text


def is_string(schema: Any) -> bool:
    """Whether a value of this schema can only be a string."""
    return _types(schema) == {"string"}


def _types(schema: Any) -> set[str]:
    """The types this schema allows; none where it does not say."""
    if not isinstance(schema, Mapping):
        return set()
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return {_TYPES[type(value)] for value in values}
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        found = [_types(choice) for choice in choices]
        return set().union(*found) if all(found) else set()
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return schema.get("properties") or {}


def _all_of(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """The matches that follow each other and are all of the text but white space, or none."""
    found: list[re.Match[str]] = []
    place = 0
    while text[place:].strip():
        match = pattern.match(text, place)
        if not match:
            return []
        found.append(match)
        place = match.end()
    return found


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Calls with a tag for each argument: values have no quotes, so the schema decides which are strings."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.tool_calls.grammar_rules import RuleBook, Unwritable, json_rule, literal
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.object_shapes import ObjectShape, shapes_of
from inference.adapters.tool_calls.tag_reader import TagReader
from inference.adapters.tool_calls.unquoted_values import bare, value_of
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool

_FUNCTION_NAME = re.compile(r"[^\s<>]{1,64}(?:>|\Z)")


class XmlCalls(WholeCalls):
    """A syntax with tags: texts for the grammar to write, and tags for the parser to read (tag_reader.py).

    - `opening` contains {name} and `argument` {key}; `value_end` and `closing_text` close them.
    - `key_pattern` matches the parameter names that can be written.
    - `forbidden` are patterns that no value may contain, because they would end it or open another.
    - The tags are described in tag_reader.Tags.
    """

    is_lenient: ClassVar[bool] = False
    opening: ClassVar[str] = ""
    argument: ClassVar[str] = ""
    value_end: ClassVar[str] = ""
    closing_text: ClassVar[str] = ""
    call_tag: ClassVar[re.Pattern[str]]
    call_end: ClassVar[str] = ""
    key_tag: ClassVar[re.Pattern[str]]
    value_tag: ClassVar[str] = ""
    opening_tag: ClassVar[str] = ""
    key_pattern: ClassVar[re.Pattern[str]]
    forbidden: ClassVar[Sequence[str]] = ()

    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return TagReader(self, self._with_first_tag(body), tools).calls()

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        """The JSON of an argument with this text, which the tag `found` opened; raises ValueError."""
        return value_of(text, schema)

    def function_name(self, held: str) -> str | None:
        found = self.call_tag.match(self._with_first_tag(held).lstrip())
        return found["name"] if found and found.end() < len(found.string) else None

    def parse_incomplete(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        try:
            return TagReader(self, body, tools, is_last=True).calls() if self.is_lenient else ()
        except (ValueError, RecursionError):
            return ()

    def _with_first_tag(self, body: str) -> str:
        """The body, with the tag that was its marker."""
        return body

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = RuleBook()
        calls = [rules.add(self._rule_of(tool, rules)) for tool in tools]
        return (
            "\n".join([f"start: {self._start_rule(several)}", f"call: {' | '.join(calls)}", *rules.lines])
            + "\n"
        )

    def _rule_of(self, tool: Tool, rules: RuleBook) -> str:
        shapes = shapes_of(Schema.of(tool.parameters))
        arguments = [rules.add(self._arguments(shape, rules)) for shape in shapes]
        if not arguments:
            raise Unwritable("no arguments follow the schema")
        opened = self._text_rule(self.opening.format(name=tool.name))
        return f"{opened} ({' | '.join(arguments)}) {self._text_rule(self.closing_text)}"

    def _arguments(self, shape: ObjectShape, rules: RuleBook) -> str:
        """The parameters in their order; optional ones may be left out. Raises Unwritable."""
        parts = ['""']
        for key, schema in shape.members.items():
            choices = self._argument(key, schema, rules) if self.key_pattern.fullmatch(key) else []
            if not choices and key in shape.required:
                raise Unwritable(f"its parameter {key[:64]!r} cannot be written in this model's tool calls")
            if choices:
                name = rules.add(" | ".join(choices))
                parts.append(name if key in shape.required else f"{name}?")
        return " ".join(parts)

    def _argument(self, key: str, schema: Schema, rules: RuleBook) -> list[str]:
        """The alternatives for an argument; none if no value of it can be written."""
        values = self._values(schema, rules)
        opened = self._text_rule(self.argument.format(key=key))
        return [f"{opened} ({' | '.join(values)})"] if values else []

    def _values(self, schema: Schema, rules: RuleBook) -> list[str]:
        """The alternatives for a value, each with its end."""
        if (listed := schema.values) is not None:
            return self._listed_values(listed)
        if schema.is_unrestricted or not schema.accepts_string:
            return [f"{rules.add(json_rule(schema.standalone()))} {self._text_rule(self.value_end)}"]
        if schema.strings is None:
            return [self._text(rules)]  # a number or a list may be written as a string, too
        return [*self._listed_values(schema.strings), *self._values(schema.non_string, rules)]

    def _listed_values(self, values: Sequence[Any]) -> list[str]:
        """Those of these values that can be written, each with its end."""
        end, forbidden = self._text_rule(self.value_end), re.compile("|".join(self.forbidden))
        return [f"{literal(text)} {end}" for text in map(bare, values) if not forbidden.search(text)]

    def _text(self, rules: RuleBook) -> str:
        """Any text and its end. It may spell a marker that is a token, but not contain the token."""
        before, mark, behind = self._split(self.value_end)
        if not mark:
            return rules.text_until(self.value_end, self.forbidden)
        text = rules.text_before(self._mark_rule(mark), self.forbidden, before)
        return f"{text} {self._text_rule(behind)}".rstrip()

    def _split(self, text: str) -> tuple[str, str, str]:
        """The parts before, of and behind the first marker in `text` that is a token."""
        found = [(text.find(mark), mark) for mark in self.marks if self._mark_rule(mark).startswith("<[")]
        at, mark = min(((at, mark) for at, mark in found if at >= 0), default=(len(text), ""))
        return text[:at], mark, text[at + len(mark) :]


class XmlSection(XmlCalls):
    """Several complete calls between one pair of markers."""

    ends_with_answer = True

    def _start_rule(self, several: bool) -> str:
        calls = "call+" if several else "call"
        return f'/\\n?\\n?/ {self._text_rule(self.begin)} "\\n" {calls} {self._text_rule(self.end)}'


class FunctionXml(XmlCalls):
    """<tool_call><function=name><parameter=key>: Qwen3-Coder, Qwen 3.5, Nemotron 3 and others.

    https://huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct/blob/main/qwen3coder_tool_parser.py - after other
    text Qwen3-Coder omits the first tag of every fifth call
    (https://github.com/QwenLM/Qwen3-Coder/issues/475, https://github.com/ollama/ollama/pull/17742), and
    sometimes the last one too.
    """

    name = "function_xml"
    begin, end = "<tool_call>", "</tool_call>"
    other_begins = ("<function=",)
    ends_with_answer = True
    opening = "<tool_call>\n<function={name}>\n"
    argument = "<parameter={key}>\n"
    value_end = "\n</parameter>\n"
    closing_text = "</function>\n</tool_call>"
    call_tag = re.compile(r"<function=(?P<name>[^\s<>]{1,64})>")
    call_end = "</function>"
    key_tag = re.compile(r"<parameter=(?P<key>[^<>\n]{1,256})>")
    value_tag = "</parameter>"
    key_pattern = re.compile(r"[^<>\n]{1,256}")
    forbidden = (r"<parameter=", r"</parameter>[ \t\r\n]*</function>")

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and "<function=" in template and "<parameter=" in template

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        """One line break at either end of the text belongs to the format."""
        return value_of(text.removeprefix("\n").removesuffix("\n"), schema)

    def _with_first_tag(self, body: str) -> str:
        body = body.lstrip()
        return body if body.startswith("<function=") else f"<function={body}"

    def _start_rule(self, several: bool) -> str:
        return f"/\\n?\\n?/ {super()._start_rule(several)}"  # blank lines after the reasoning

    def can_become(self, body: str) -> bool:
        body, tag = body.lstrip(), "<function="
        return tag.startswith(body[: len(tag)]) or _FUNCTION_NAME.match(body) is not None

"""Calls with a tag for each argument: strings stand there bare, so the schema says what is one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from inference.adapters.tool_calls.grammar_rules import RuleBook, Unwritable, json_rule, literal
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.object_shapes import Shape, shapes_of
from inference.adapters.tool_calls.tag_reader import TagReader
from inference.adapters.tool_calls.unquoted_values import bare, value_of
from inference.adapters.tool_calls.whole_calls import WholeCalls
from inference.core.requests import Tool

_NAMED = re.compile(r"[^\s<>]{1,64}(?:>|\Z)")


class XmlCalls(WholeCalls):
    """A manner has texts, which the grammar writes, and tags, which are read (tag_reader.py).

    `opening` has the {name}, `argument` the {key}; `keys` are the names that can be written, and `barred` are
    patterns of what may be in no value, since it would end it or open another.
    """

    is_mended: ClassVar[bool] = False
    opening: ClassVar[str] = ""
    argument: ClassVar[str] = ""
    value_end: ClassVar[str] = ""
    closing_text: ClassVar[str] = ""
    call_tag: ClassVar[re.Pattern[str]]
    call_end: ClassVar[str] = ""
    key_tag: ClassVar[re.Pattern[str]]
    value_tag: ClassVar[str] = ""
    opening_tag: ClassVar[str] = ""
    keys: ClassVar[re.Pattern[str]]
    barred: ClassVar[Sequence[str]] = ()

    def _calls(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return TagReader(self, self._whole(body), tools).calls()

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        return value_of(text, schema)

    def named(self, held: str) -> str | None:
        found = self.call_tag.match(self._whole(held).lstrip())
        return found["name"] if found and found.end() < len(found.string) else None

    def mended(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        try:
            return TagReader(self, body, tools, is_last=True).calls() if self.is_mended else ()
        except (ValueError, RecursionError):
            return ()

    def _whole(self, body: str) -> str:
        """The body with the tag that was its mark."""
        return body

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        rules = RuleBook()
        calls = [rules.named(self._call_of(tool, rules)) for tool in tools]
        return (
            "\n".join([f"start: {self._answer(several)}", f"call: {' | '.join(calls)}", *rules.made]) + "\n"
        )

    def _call_of(self, tool: Tool, rules: RuleBook) -> str:
        shapes = shapes_of(Schema.of(tool.parameters))
        arguments = [rules.named(self._arguments(shape, rules)) for shape in shapes]
        if not arguments:
            raise Unwritable("no arguments follow the schema")
        opened = self._said(self.opening.format(name=tool.name))
        return f"{opened} ({' | '.join(arguments)}) {self._said(self.closing_text)}"

    def _arguments(self, shape: Shape, rules: RuleBook) -> str:
        """The parameters in their order; those not required may lack."""
        said = ['""']
        for key, schema in shape.members.items():
            choices = self._argument(key, schema, rules) if self.keys.fullmatch(key) else []
            if not choices and key in shape.required:
                raise Unwritable(f"its parameter {key[:64]!r} cannot be written in this model's calls")
            if choices:
                name = rules.named(" | ".join(choices))
                said.append(name if key in shape.required else f"{name}?")
        return " ".join(said)

    def _argument(self, key: str, schema: Schema, rules: RuleBook) -> list[str]:
        """The ways to say an argument; none where no value of it can be written."""
        values = self._values(schema, rules)
        said = self._said(self.argument.format(key=key))
        return [f"{said} ({' | '.join(values)})"] if values else []

    def _values(self, schema: Schema, rules: RuleBook) -> list[str]:
        """The ways to say a value, each with its end."""
        if (listed := schema.values) is not None:
            return self._listed(listed)
        if schema.is_open or not schema.takes_text:
            return [f"{rules.named(json_rule(schema.alone()))} {self._said(self.value_end)}"]
        if schema.texts is None:
            return [self._text(rules)]  # a number or a list may be written as one, too
        return [*self._listed(schema.texts), *self._values(schema.other, rules)]

    def _listed(self, values: Sequence[Any]) -> list[str]:
        """Those of these values that can be said, each with its end."""
        end, barred = self._said(self.value_end), re.compile("|".join(self.barred))
        return [f"{literal(text)} {end}" for text in map(bare, values) if not barred.search(text)]

    def _text(self, rules: RuleBook) -> str:
        """Any text, and what ends it; a mark that is a token is no text, but may be spelt."""
        before, mark, behind = self._split(self.value_end)
        if not mark:
            return rules.text_until(self.value_end, self.barred)
        text = rules.text_before(self._mark(mark), self.barred, before)
        return f"{text} {self._said(behind)}".rstrip()

    def _split(self, text: str) -> tuple[str, str, str]:
        """A text at the first of its marks that is a token; all of it comes before where none is."""
        found = [(text.find(mark), mark) for mark in self.marks if self._mark(mark).startswith("<[")]
        at, mark = min(((at, mark) for at, mark in found if at >= 0), default=(len(text), ""))
        return text[:at], mark, text[at + len(mark) :]


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
    call_tag = re.compile(r"<function=(?P<name>[^\s<>]{1,64})>")
    call_end = "</function>"
    key_tag = re.compile(r"<parameter=(?P<key>[^<>\n]{1,256})>")
    value_tag = "</parameter>"
    keys = re.compile(r"[^<>\n]{1,256}")
    barred = (r"<parameter=", r"</parameter>[ \t\r\n]*</function>")

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and "<function=" in template and "<parameter=" in template

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        """A line break at either end of the text is the template's."""
        return value_of(text.removeprefix("\n").removesuffix("\n"), schema)

    def _whole(self, body: str) -> str:
        said = body.lstrip()
        return said if said.startswith("<function=") else f"<function={said}"

    def _answer(self, several: bool) -> str:
        return f"/\\n?\\n?/ {super()._answer(several)}"  # blank lines after the reasoning

    def may_become(self, body: str) -> bool:
        said, tag = body.lstrip(), "<function="
        return tag.startswith(said[: len(tag)]) or _NAMED.match(said) is not None

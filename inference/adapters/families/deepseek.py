"""DeepSeek V3, R1 and later: calls between markers of their own, which their templates render incompletely.

https://huggingface.co/deepseek-ai/DeepSeek-V3.1 (section on tools) - the templates do not render tools, so
the system message describes them with the text of the model card. The template of V3 and R1 leaves out the
text beside a call, the end of a turn with one call, and the markers around the calls of later turns; so turns
with calls are rendered here. R1's template opens the reasoning
(https://github.com/deepseek-ai/DeepSeek-R1/issues/352). V3.2 and V4 write calls in tags
(https://huggingface.co/deepseek-ai/DeepSeek-V3.2/blob/main/encoding/encoding_dsv32.py).
"""

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from inference.adapters.base import Adapter
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.call_prefix import SPACE, chars
from inference.adapters.tool_calls.grammar_rules import RuleBook
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.marked import NAME, MarkedCalls, marked_prefixes
from inference.adapters.tool_calls.string_escapes import json_string
from inference.adapters.tool_calls.unquoted_values import value_of
from inference.adapters.tool_calls.xml import XmlSection
from inference.core.requests import Message, Tool

_CALL, _CALL_END = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
_SEPARATOR = "<｜tool▁sep｜>"
_DSML = "｜DSML｜"


class DeepSeekCalls(MarkedCalls):
    """V3.1: the name, a separator and the arguments, for each call between markers."""

    name = "deepseek"
    begin, end = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
    before, between, after = _CALL, _SEPARATOR, _CALL_END
    prefixes = marked_prefixes(_CALL, (SPACE, NAME, *chars(_SEPARATOR)))
    closing: ClassVar[Sequence[str]] = (_CALL_END, _CALL, end)
    separator = _CALL
    is_in_reasoning = True  # https://github.com/sgl-project/sglang/pull/9446

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, _CALL, _CALL_END, _SEPARATOR


class FencedCalls(DeepSeekCalls):
    """V3 and R1: each call has a type, and its arguments are between code fences."""

    name = "deepseek_fenced"
    before, between, after = f"{_CALL}function{_SEPARATOR}", "\n```json\n", f"\n```{_CALL_END}"
    joint = "\n"
    prefixes = marked_prefixes(_CALL, (*chars(f"function{_SEPARATOR}"), SPACE, NAME, *chars("```json")))
    closing = ("```", *DeepSeekCalls.closing)


class DsmlCalls(XmlSection):
    """V3.2: tags that contain a marker token; each argument says whether it is a string."""

    name = "deepseek_dsml"
    begin, end = f"<{_DSML}function_calls>", f"</{_DSML}function_calls>"
    opening = f'<{_DSML}invoke name="{{name}}">\n'
    argument = f'<{_DSML}parameter name="{{key}}" string="{{string}}">'
    value_end = f"</{_DSML}parameter>\n"
    closing_text = f"</{_DSML}invoke>\n"
    call_tag = re.compile(rf"<{_DSML}invoke name=\"(?P<name>[^\s<>\"]{{1,64}})\">")
    call_end = f"</{_DSML}invoke>"
    key_tag = re.compile(
        rf"<{_DSML}parameter name=\"(?P<key>[^<>\"]{{1,256}})\"(?: string=\"(?P<string>true|false)\")?>"
    )
    value_tag = f"</{_DSML}parameter>"
    key_pattern = re.compile(r"[^<>\"]{1,256}")
    forbidden = (_DSML,)

    @property
    def marks(self) -> tuple[str, ...]:
        return (_DSML,)

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        if found["string"] == "true":
            return json_string(text)
        is_other = found["string"] == "false" and not schema.is_string
        return value_of(text, schema.non_string if is_other else schema)

    def _argument(self, key: str, schema: Schema, rules: RuleBook) -> list[str]:
        """A string as it is or another value as JSON; the attribute `string` says which."""
        types = {"true": schema.restricted("string")} if schema.accepts_string else {}
        types |= {"false": schema.non_string} if schema.types != {"string"} else {}
        return [
            f"{self._text_rule(self.argument.format(key=key, string=is_string))} ({' | '.join(values)})"
            for is_string, one in types.items()
            if (values := self._values(one, rules))
        ]


class DsmlToolCalls(DsmlCalls):
    """V4: the same, with another name for the section."""

    name = "deepseek_dsml_4"
    begin, end = f"<{_DSML}tool_calls>", f"</{_DSML}tool_calls>"


class DeepSeekDsml(Adapter):
    name = "deepseek_dsml"
    stop_tokens = ("<｜end▁of▁sentence｜>",)

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self.tool_format = DsmlCalls if "function_calls>" in facts.chat_template else DsmlToolCalls
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return _DSML in facts.chat_template and "<｜Assistant｜>" in facts.chat_template


class DeepSeek(Adapter):
    name = "deepseek"
    stop_tokens = ("<｜end▁of▁sentence｜>",)

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self._format_class = FencedCalls if "```json" in facts.chat_template else DeepSeekCalls
        self.tool_format = self._format_class
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        """By template alone: its fine-tunes of Qwen and Llama have it, too."""
        return "<｜Assistant｜>" in facts.chat_template and _SEPARATOR in facts.chat_template

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().template_messages(messages, tools, template_input)
        turns = [
            self._with_calls_as_text(message, turn, template_input)
            for message, turn in zip(messages, turns, strict=True)
        ]
        if not functions:
            return turns, []
        text = self._tools_text([function["function"] for function in functions])
        if turns and turns[0]["role"] == "system":
            return [{**turns[0], "content": f"{turns[0]['content']}\n\n{text}"}, *turns[1:]], []
        return [{"role": "system", "content": text}, *turns], []

    def _with_calls_as_text(
        self, message: Message, turn: dict[str, Any], template_input: TemplateInput
    ) -> dict[str, Any]:
        """A turn with calls as text: what the model wrote in it."""
        if not message.tool_calls:
            return turn
        calls = [
            (template_input.quote(call.name), template_input.quote(call.arguments))
            for call in message.tool_calls
        ]
        return {"role": "assistant", "content": turn["content"] + self._format_class.call_text(calls)}

    def _tools_text(self, functions: Sequence[dict[str, Any]]) -> str:
        """The description of tools in the model card of V3.1."""
        listed = "\n\n".join(
            f"### {function['name']}\nDescription: {function['description']}\n\n"
            f"Parameters: {json.dumps(function['parameters'], ensure_ascii=False)}"
            for function in functions
        )
        call = "tool_call_name", "tool_call_arguments"
        one = self._format_class.call_text([call]).removesuffix(self._format_class.end)
        return (
            f"## Tools\nYou have access to the following tools:\n\n{listed}\n\n"
            "IMPORTANT: ALWAYS adhere to this exact format for tool use:\n"
            f"{one}{{additional_tool_calls}}{self._format_class.end}\n\n"
            "Where:\n"
            "- `tool_call_name` must be an exact match to one of the available tools\n"
            "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
            "- For multiple tool calls, chain them directly without separators or spaces"
        )

"""DeepSeek V3, R1 and later: calls between marks of their own, which their templates write badly, if at all.

https://huggingface.co/deepseek-ai/DeepSeek-V3.1 (on tools) - the templates have no place for tools, so they
are told in the system message, in the words of the model card. V3's and R1's template loses what is said
beside a call, the end of a turn with one call, and the marks around the calls of later turns; so such turns
are written here. R1's opens the reasoning (https://github.com/deepseek-ai/DeepSeek-R1/issues/352). V3.2 and
V4 write calls in tags (https://huggingface.co/deepseek-ai/DeepSeek-V3.2/blob/main/encoding/encoding_dsv32.py).
"""

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.tool_calls.grammar_rules import RuleBook
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.literals import json_string
from inference.adapters.tool_calls.marked import NAME, SPACE, MarkedCalls, chars, heads
from inference.adapters.tool_calls.unquoted_values import value_of
from inference.adapters.tool_calls.xml import XmlSection
from inference.core.requests import Message, Tool

_CALL, _CALL_END = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"
_SEPARATOR = "<｜tool▁sep｜>"
_DSML = "｜DSML｜"


class DeepSeekCalls(MarkedCalls):
    """V3.1: the name, a mark, and the arguments, for each call between marks."""

    name = "deepseek"
    begin, end = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
    before, between, after = _CALL, _SEPARATOR, _CALL_END
    heads = heads(_CALL, (SPACE, NAME, *chars(_SEPARATOR)))
    closing: ClassVar[Sequence[str]] = (_CALL_END, _CALL, end)
    separator = _CALL
    is_in_thoughts = True  # https://github.com/sgl-project/sglang/pull/9446

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, _CALL, _CALL_END, _SEPARATOR


class FencedCalls(DeepSeekCalls):
    """V3 and R1: each call tells its type, and its arguments stand between fences."""

    name = "deepseek_fenced"
    before, between, after = f"{_CALL}function{_SEPARATOR}", "\n```json\n", f"\n```{_CALL_END}"
    joint = "\n"
    heads = heads(_CALL, (*chars(f"function{_SEPARATOR}"), SPACE, NAME, *chars("```json")))
    closing = ("```", *DeepSeekCalls.closing)


class DsmlCalls(XmlSection):
    """V3.2: tags in which a mark stands, and each value says whether it is a string."""

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
    keys = re.compile(r"[^<>\"]{1,256}")
    barred = (_DSML,)

    @property
    def marks(self) -> tuple[str, ...]:
        return (_DSML,)

    def value(self, text: str, found: re.Match[str], schema: Schema) -> str:
        if found["string"] == "true":
            return json_string(text)
        is_other = found["string"] == "false" and not schema.is_text
        return value_of(text, schema.other if is_other else schema)

    def _argument(self, key: str, schema: Schema, rules: RuleBook) -> list[str]:
        """A string as it is, anything else as JSON, and the tag says which."""
        kinds = {"true": schema.only("string")} if schema.takes_text else {}
        kinds |= {"false": schema.other} if schema.types != {"string"} else {}
        return [
            f"{self._said(self.argument.format(key=key, string=kind))} ({' | '.join(values)})"
            for kind, one in kinds.items()
            if (values := self._values(one, rules))
        ]


class DsmlToolCalls(DsmlCalls):
    """V4 has another word for the section."""

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
        self._says = FencedCalls if "```json" in facts.chat_template else DeepSeekCalls
        self.tool_format = self._says
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        """Its fine-tunes of Qwen and Llama have its template."""
        return "<｜Assistant｜>" in facts.chat_template and _SEPARATOR in facts.chat_template

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().words(messages, tools, tongue)
        turns = [self._spelled(message, turn, tongue) for message, turn in zip(messages, turns, strict=True)]
        if not functions:
            return turns, []
        told = self._told([function["function"] for function in functions])
        if turns and turns[0]["role"] == "system":
            return [{**turns[0], "content": f"{turns[0]['content']}\n\n{told}"}, *turns[1:]], []
        return [{"role": "system", "content": told}, *turns], []

    def _spelled(self, message: Message, turn: dict[str, Any], tongue: TemplateInput) -> dict[str, Any]:
        """A turn with calls as one of text: what the model said then."""
        if not message.tool_calls:
            return turn
        calls = [(tongue.quote(call.name), tongue.quote(call.arguments)) for call in message.tool_calls]
        return {"role": "assistant", "content": turn["content"] + self._says.written(calls)}

    def _told(self, functions: Sequence[dict[str, Any]]) -> str:
        told = "\n\n".join(
            f"### {function['name']}\nDescription: {function['description']}\n\n"
            f"Parameters: {json.dumps(function['parameters'], ensure_ascii=False)}"
            for function in functions
        )
        call = "tool_call_name", "tool_call_arguments"
        one = self._says.written([call]).removesuffix(self._says.end)
        return (
            f"## Tools\nYou have access to the following tools:\n\n{told}\n\n"
            "IMPORTANT: ALWAYS adhere to this exact format for tool use:\n"
            f"{one}{{additional_tool_calls}}{self._says.end}\n\n"
            "Where:\n"
            "- `tool_call_name` must be an exact match to one of the available tools\n"
            "- `tool_call_arguments` must be valid JSON that strictly follows the tool's Parameters Schema\n"
            "- For multiple tool calls, chain them directly without separators or spaces"
        )

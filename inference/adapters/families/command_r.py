"""Command R, R7B and A: turns end with <|END_OF_TURN_TOKEN|>; later models have markers around each part.

https://docs.cohere.com/docs/command-r7b-hf - calls are a list between <|START_ACTION|> and <|END_ACTION|>,
and the answer may be between <|START_RESPONSE|> and <|END_RESPONSE|>. The first Command R answers even a
greeting with a call, of a tool named directly-answer, and expects tools in Cohere's own structure
(https://huggingface.co/CohereForAI/c4ai-command-r-plus), so its tools are described in the system message.
"""

from collections.abc import Sequence
from typing import Any

from inference.adapters.base import Adapter
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.call_prefix import chars, member, object_prefixes
from inference.adapters.tool_calls.grammar_rules import literal
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import Message, Tool

_RESPONSE = ("<|START_RESPONSE|>", "<|END_RESPONSE|>")
_NUMBERED = (*member("tool_call_id"), '"', '[^"]{0,64}', '"', *chars(","))


class Actions(JsonList):
    """A list of numbered calls, with the name in tool_name and the arguments in parameters."""

    name = "command_r"
    begin, end = "<|START_ACTION|>", "<|END_ACTION|>"
    prefixes = tuple(
        prefix
        for before in ((), chars("["))
        for prefix in object_prefixes(before, name="tool_name", firsts=((), _NUMBERED))
    )
    closing = (*JsonList.closing, end)
    name_key, arguments_key = "tool_name", "parameters"

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template

    def _start_rule(self, several: bool) -> str:
        calls = r'call (",\n    " call)*' if several else "call"
        return rf'{self._mark_rule(self.begin)} "[\n    " {calls} "\n]" {self._mark_rule(self.end)}'

    def _call_rule(self, tool: Tool, arguments: str) -> str:
        named = literal(f'", "tool_name": "{tool.name}", "parameters": ')
        return f'"{{\\"tool_call_id\\": \\"" /[0-9]{{1,4}}/ {named} {arguments} "}}"'


class CommandR(Adapter):
    name = "command_r"
    stop_tokens = ("<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>")
    reasoning_marks = ("<|START_THINKING|>", "<|END_THINKING|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        if tokenizer.id_of(Actions.begin) is not None:
            self.tool_format = Actions
        super().__init__(facts, tokenizer)
        self._response = [token for token in map(tokenizer.id_of, _RESPONSE) if token is not None]
        self.hidden_ids |= frozenset(self._response)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("cohere"):
            return False
        return "<|START_OF_TURN_TOKEN|>" in facts.chat_template or not facts.chat_template

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().template_messages(messages, tools, template_input)
        return [_with_plan(turn) for turn in turns], functions

    def answer_rule(self, rule: str) -> str:
        if len(self._response) < 2:
            return rule
        opening, closing = (f"<[{token}]>?" for token in self._response)
        return f"{opening} {rule} {closing}"


def _with_plan(turn: dict[str, Any]) -> dict[str, Any]:
    """The template renders a plan in a turn with calls, and no text: reasoning and text become the plan."""
    if "tool_calls" not in turn:
        return turn
    plan = "\n".join(part for part in (turn.get("reasoning_content"), turn["content"]) if part)
    return {**turn, "tool_plan": plan, "reasoning_content": plan}

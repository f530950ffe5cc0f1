"""Command R, R7B and A: turns end with <|END_OF_TURN_TOKEN|>; the later ones think, act and respond in marks.

https://docs.cohere.com/docs/command-r7b-hf - a call is a list between <|START_ACTION|> and <|END_ACTION|>,
and what is said to the user may stand between <|START_RESPONSE|> and <|END_RESPONSE|>. The first Command R
answers even a greeting with a call, of a tool named directly-answer, and wants tools in Cohere's own form
(https://huggingface.co/CohereForAI/c4ai-command-r-plus), so its tools are told in words.
"""

from collections.abc import Sequence
from typing import Any

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.chat_template.template_input import TemplateInput, Turns
from inference.adapters.tool_calls.grammar_rules import literal
from inference.adapters.tool_calls.tool_formats import JsonList, literals, member, object_heads
from inference.core.requests import Message, Tool

_RESPONSE = ("<|START_RESPONSE|>", "<|END_RESPONSE|>")
_NUMBERED = (*member("tool_call_id"), '"', '[^"]{0,64}', '"', *literals(","))


class Actions(JsonList):
    """A list of calls with a number each, the name under tool_name and the arguments under parameters."""

    name = "command_r"
    begin, end = "<|START_ACTION|>", "<|END_ACTION|>"
    heads = tuple(
        head
        for before in ((), literals("["))
        for head in object_heads(before, name="tool_name", firsts=((), _NUMBERED))
    )
    closing = (*JsonList.closing, end)
    name_key, arguments_key = "tool_name", "parameters"

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template

    def _answer(self, several: bool) -> str:
        calls = r'call (",\n    " call)*' if several else "call"
        return rf'{self._mark(self.begin)} "[\n    " {calls} "\n]" {self._mark(self.end)}'

    def _call(self, tool: Tool, arguments: str) -> str:
        named = literal(f'", "tool_name": "{tool.name}", "parameters": ')
        return f'"{{\\"tool_call_id\\": \\"" /[0-9]{{1,4}}/ {named} {arguments} "}}"'


class CommandR(Adapter):
    name = "command_r"
    stop_tokens = ("<|END_OF_TURN_TOKEN|>", "<EOS_TOKEN>")
    reasoning = ("<|START_THINKING|>", "<|END_THINKING|>")

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

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().words(messages, tools, tongue)
        return [_planned(turn) for turn in turns], functions

    def framed(self, rule: str) -> str:
        if len(self._response) < 2:
            return rule
        opening, closing = (f"<[{token}]>?" for token in self._response)
        return f"{opening} {rule} {closing}"


def _planned(turn: dict[str, Any]) -> dict[str, Any]:
    """A turn with calls has a plan and no text in its template; what was said beside them is of the plan."""
    if "tool_calls" not in turn:
        return turn
    plan = "\n".join(part for part in (turn.get("reasoning_content"), turn["content"]) if part)
    return {**turn, "tool_plan": plan, "reasoning_content": plan}

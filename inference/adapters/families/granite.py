"""Granite 3 and 4: turns that end with <|end_of_text|>; Granite 3 writes calls as a list behind a marker.

https://huggingface.co/ibm-granite/granite-3.3-8b-instruct - its template does not render calls and results,
so they are text of their turns. If asked to reason, 3.3 writes <think> and <response>, and 3.2 two English
sentences (https://github.com/vllm-project/vllm/pull/14202). Granite 4 writes calls in Hermes's format.
"""

from collections.abc import Sequence

from inference.adapters.base import Adapter
from inference.adapters.chat_template.template_input import TemplateInput, Turns, with_calls_as_text
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import Message, Tool

_SENTENCES = ("Here is my thought process:", "Here is my response:")


class GraniteCalls(JsonList):
    """<|tool_call|> and a list of calls; Granite 3.1 often writes the marker without its bars.

    https://github.com/vllm-project/vllm/blob/main/vllm/tool_parsers/granite_tool_parser.py
    """

    name = "granite"
    begin = "<|tool_call|>"
    other_begins = ("<tool_call>",)


class Granite(Adapter):
    name = "granite"
    stop_tokens = ("<|end_of_text|>",)
    answer_marks = ("<response>", "</response>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        if _SENTENCES[0] in facts.chat_template:
            self.reasoning_marks = _SENTENCES
        is_third = "<tool_call>" not in facts.chat_template
        self.tool_format = GraniteCalls if is_third else None
        self._renders_calls = "tool_calls" in facts.chat_template
        self._result_role = "tool_response" if "'tool_response'" in facts.chat_template else "tool"
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("granite"):
            return False
        return "<|start_of_role|>" in facts.chat_template or not facts.chat_template

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().template_messages(messages, tools, template_input)
        if self._renders_calls:
            return turns, functions
        return with_calls_as_text(turns, GraniteCalls, self._result_role), functions

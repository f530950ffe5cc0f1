"""Granite 3 and 4: turns that end with <|end_of_text|>; Granite 3 writes calls as a list behind a mark.

https://huggingface.co/ibm-granite/granite-3.3-8b-instruct - its template has no words for calls and
results, so they are text of their turns. Asked to think, 3.3 answers in <think> and <response>, 3.2 in
English words (https://github.com/vllm-project/vllm/pull/14202). Granite 4 writes calls as Hermes does.
"""

from collections.abc import Sequence

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.chat_template.template_input import TemplateInput, Turns, spelled
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import Message, Tool

_IN_WORDS = ("Here is my thought process:", "Here is my response:")


class GraniteCalls(JsonList):
    """<|tool_call|> and a list of calls; Granite 3.1 likes to write the mark without its bars.

    https://github.com/vllm-project/vllm/blob/main/vllm/tool_parsers/granite_tool_parser.py
    """

    name = "granite"
    begin = "<|tool_call|>"
    other_begins = ("<tool_call>",)


class Granite(Adapter):
    name = "granite"
    stop_tokens = ("<|end_of_text|>",)
    answer_frame = ("<response>", "</response>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        if _IN_WORDS[0] in facts.chat_template:
            self.reasoning = _IN_WORDS
        is_third = "<tool_call>" not in facts.chat_template
        self.tool_format = GraniteCalls if is_third else None
        self._has_words_for_calls = "tool_calls" in facts.chat_template
        self._result_role = "tool_response" if "'tool_response'" in facts.chat_template else "tool"
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("granite"):
            return False
        return "<|start_of_role|>" in facts.chat_template or not facts.chat_template

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().words(messages, tools, tongue)
        if self._has_words_for_calls:
            return turns, functions
        return spelled(turns, GraniteCalls, self._result_role), functions

"""Phi 3 to 4-mini: turns that end with <|end|>, Phi 4's own with <|im_end|>; calls are a list between marks.

https://huggingface.co/microsoft/Phi-4-mini-instruct - its template takes tools as a member of the system
message and has no words for calls and results, so both are written here. generation_config.json of several
releases names only <|endoftext|>, which never comes (https://github.com/ml-explore/mlx-examples/issues/780).
"""

import json
import re
from collections.abc import Sequence

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.chat_template.template_input import TemplateInput, Turns, spelled
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import Message, Tool

_TYPES = {"phi3", "phi3small", "phi3_v", "phimoe", "phi4", "phi4mm", "phi4_multimodal"}
_TOOLS_OF_A_MESSAGE = re.compile(r"message(\.tools\b|\[['\"]tools['\"]\])")
# Phi-4-mini-reasoning: its template has this and no <think>, which its answers begin with.
_REASONING = "AI math expert"
_HELPFUL = "You are a helpful assistant with some tools."


class PhiCalls(JsonList):
    """<|tool_call|>, a list of calls or one alone, <|/tool_call|>."""

    name = "phi"
    begin, end = "<|tool_call|>", "<|/tool_call|>"
    closing = (*JsonList.closing, end)


class Functools(JsonList):
    """functools and a list of calls: what templates of other servers ask Phi 4-mini for.

    https://github.com/vllm-project/vllm/blob/main/examples/tool_chat_template_phi4_mini.jinja
    """

    name = "functools"
    begin = "functools"


class Phi(Adapter):
    name = "phi"
    stop_tokens = ("<|end|>", "<|endoftext|>", "<|im_end|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        template = facts.chat_template
        self.thinks_untold = _REASONING in template
        self._says: type[JsonList] = Functools if Functools.begin in template else PhiCalls
        self.tool_format = self._says
        self._has_words_for_calls = "tool_calls" in template
        self._has_tools_in_messages = _TOOLS_OF_A_MESSAGE.search(template) is not None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if facts.model_type not in _TYPES:
            return False
        template = facts.chat_template
        return not template or any(mark in template for mark in ("<|end|>", "<|im_sep|>"))

    def words(
        self, messages: Sequence[Message], tools: Sequence[Tool], tongue: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().words(messages, tools, tongue)
        if not self._has_words_for_calls:
            turns = spelled(turns, self._says, "tool_response")
        if not (functions and self._has_tools_in_messages):
            return turns, functions
        if not turns or turns[0]["role"] != "system":
            turns = [{"role": "system", "content": _HELPFUL}, *turns]
        told = json.dumps([function["function"] for function in functions], ensure_ascii=False)
        return [{**turns[0], "tools": told}, *turns[1:]], []

"""Phi 3 to 4-mini: turns end with <|end|>, Phi 4's own with <|im_end|>; calls are a list between markers.

https://huggingface.co/microsoft/Phi-4-mini-instruct - its template expects tools as a member of the system
message and does not render calls and results, so they are rendered here. generation_config.json of several
releases lists only <|endoftext|>, which never follows an answer
(https://github.com/ml-explore/mlx-examples/issues/780).
"""

import json
import re
from collections.abc import Sequence

from inference.adapters.base import Adapter
from inference.adapters.chat_template.template_input import TemplateInput, Turns, with_calls_as_text
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.tool_formats import JsonList
from inference.core.requests import Message, Tool

_TYPES = {"phi3", "phi3small", "phi3_v", "phimoe", "phi4", "phi4mm", "phi4_multimodal"}
_TOOLS_OF_A_MESSAGE = re.compile(r"message(\.tools\b|\[['\"]tools['\"]\])")
# In the template of Phi-4-mini-reasoning, which has no <think> although its answers begin with it.
_REASONING = "AI math expert"
_HELPFUL = "You are a helpful assistant with some tools."


class PhiCalls(JsonList):
    """<|tool_call|>, a list of calls or a single one, <|/tool_call|>."""

    name = "phi"
    begin, end = "<|tool_call|>", "<|/tool_call|>"
    closing = (*JsonList.closing, end)


class Functools(JsonList):
    """functools and a list of calls: the syntax that templates of other servers ask Phi 4-mini for.

    https://github.com/vllm-project/vllm/blob/main/examples/tool_chat_template_phi4_mini.jinja
    """

    name = "functools"
    begin = "functools"


class Phi(Adapter):
    name = "phi"
    stop_tokens = ("<|end|>", "<|endoftext|>", "<|im_end|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        template = facts.chat_template
        self.reasons_without_marker = _REASONING in template
        self._format_class: type[JsonList] = Functools if Functools.begin in template else PhiCalls
        self.tool_format = self._format_class
        self._renders_calls = "tool_calls" in template
        self._has_tools_in_messages = _TOOLS_OF_A_MESSAGE.search(template) is not None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if facts.model_type not in _TYPES:
            return False
        template = facts.chat_template
        return not template or any(mark in template for mark in ("<|end|>", "<|im_sep|>"))

    def template_messages(
        self, messages: Sequence[Message], tools: Sequence[Tool], template_input: TemplateInput
    ) -> tuple[Turns, Turns]:
        turns, functions = super().template_messages(messages, tools, template_input)
        if not self._renders_calls:
            turns = with_calls_as_text(turns, self._format_class, "tool_response")
        if not (functions and self._has_tools_in_messages):
            return turns, functions
        if not turns or turns[0]["role"] != "system":
            turns = [{"role": "system", "content": _HELPFUL}, *turns]
        listed = json.dumps([function["function"] for function in functions], ensure_ascii=False)
        return [{**turns[0], "tools": listed}, *turns[1:]], []

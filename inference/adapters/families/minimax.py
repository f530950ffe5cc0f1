"""MiniMax M2: turns between ]~b] and [e~[, reasoning that its template opens, calls in its own tags.

https://huggingface.co/MiniMaxAI/MiniMax-M2/blob/main/docs/tool_calling_guide.md - one pair of markers
contains several calls, and values are written without quotes.
"""

import re

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tool_calls.xml import XmlSection


class MiniMaxCalls(XmlSection):
    name = "minimax"
    begin, end = "<minimax:tool_call>", "</minimax:tool_call>"
    opening = '<invoke name="{name}">\n'
    argument = '<parameter name="{key}">'
    value_end = "</parameter>\n"
    closing_text = "</invoke>\n"
    call_tag = re.compile(r"<invoke name=\"?(?P<name>[^\s<>\"]{1,64})\"?>")
    call_end = "</invoke>"
    key_tag = re.compile(r"<parameter name=\"?(?P<key>[^<>\"]{1,256})\"?>")
    value_tag = "</parameter>"
    key_pattern = re.compile(r"[^<>\"]{1,256}")
    forbidden = ("<parameter name=", "</parameter>")


class MiniMax(Adapter):
    name = "minimax"
    stop_tokens = ("[e~[",)
    tool_format = MiniMaxCalls

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return "]~b]" in facts.chat_template and MiniMaxCalls.begin in facts.chat_template

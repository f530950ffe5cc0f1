"""MiniMax M2: turns between ]~b] and [e~[, reasoning that its template opens, calls in tags of their own.

https://huggingface.co/MiniMaxAI/MiniMax-M2/blob/main/docs/tool_calling_guide.md - several calls stand in one
pair of marks, and a value is written without anything around it.
"""

import re

from inference.adapters.base import Adapter, ModelFacts
from inference.adapters.xml_calls import XmlSection


class MiniMaxCalls(XmlSection):
    name = "minimax"
    begin, end = "<minimax:tool_call>", "</minimax:tool_call>"
    opening = '<invoke name="{name}">\n'
    argument = '<parameter name="{key}">'
    value_end = "</parameter>\n"
    closing_text = "</invoke>\n"
    pattern = re.compile(
        r"\s*<invoke name=\"?(?P<name>[^\s<>\"]{1,64})\"?>(?P<body>.*?)</invoke>(?=\s*(?:<invoke |\Z))",
        re.DOTALL,
    )
    parameter = re.compile(
        r"\s*<parameter name=\"?(?P<key>[^<>\"]{1,256})\"?>(?P<value>.*?)"
        r"</parameter>(?=\s*(?:<parameter |\Z))",
        re.DOTALL,
    )


class MiniMax(Adapter):
    name = "minimax"
    stop_tokens = ("[e~[",)
    tool_format = MiniMaxCalls

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return "]~b]" in facts.chat_template and MiniMaxCalls.begin in facts.chat_template

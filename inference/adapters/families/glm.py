"""GLM 4.5 to 4.7: no end of its own, the mark of whoever speaks next is the end: <|user|>, <|observation|>.

https://huggingface.co/zai-org/GLM-4.6 - a call is its function's name and a pair of tags for each argument
(https://github.com/ml-explore/mlx-lm/issues/607), with line breaks between them up to 4.6 and none in 4.7.
"""

import re

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.tool_calls.xml import XmlCalls

_MARKS = ("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>")


class GlmCalls(XmlCalls):
    name = "glm"
    begin, end = "<tool_call>", "</tool_call>"
    is_mended = True
    opening = "<tool_call>{name}"
    argument = "\n<arg_key>{key}</arg_key>\n<arg_value>"
    value_end = "</arg_value>"
    closing_text = "\n</tool_call>"
    call_tag = re.compile(r"(?P<name>[^\s<>]{1,64})")
    # It forgets <arg_value> (https://github.com/vllm-project/vllm/issues/49248) or </arg_value>
    # (https://github.com/ollama/ollama/pull/14656), and repeats tags (https://github.com/vllm-project/vllm/pull/54971).
    key_tag = re.compile(
        r"(?:<arg_key>)+\s*(?P<key>[^\s<>](?:[^<>]{0,254}[^\s<>])?)\s*(?:</arg_key>)+(?:\s*<arg_value>|\n?)"
    )
    value_tag, opening_tag = "</arg_value>", "<arg_value>"
    keys = re.compile(r"[^\s<>](?:[^<>\n]{0,254}[^\s<>])?")
    barred = ("</arg_key>", "<arg_value>", "</arg_value>")

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template and all(mark in template for mark in _MARKS)

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, *_MARKS

    def _answer(self, several: bool) -> str:
        return "/\\n?\\n?/ call (/\\n?/ call)*" if several else "/\\n?\\n?/ call"

    def _said(self, text: str) -> str:
        """Line breaks may be there or not: the grammar is the same for all its releases."""
        return " /\\n?/ ".join(super(GlmCalls, self)._said(line) for line in text.split("\n"))


class Glm(Adapter):
    name = "glm"
    stop_tokens = ("<|user|>", "<|observation|>", "<|endoftext|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        # GLM 4 writes calls as names and JSON with no mark around them, which is not read.
        self.tool_format = GlmCalls if GlmCalls.is_written_by(facts.chat_template) else None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return "[gMASK]" in facts.chat_template and "<|observation|>" in facts.chat_template

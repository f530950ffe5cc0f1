"""GLM 4.5 to 4.7: a turn ends with the marker of the next role, <|user|> or <|observation|>.

https://huggingface.co/zai-org/GLM-4.6 - a call is the function's name and a pair of tags for each argument
(https://github.com/ml-explore/mlx-lm/issues/607), with line breaks between them up to 4.6 and without in 4.7.
"""

import re

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.xml import XmlCalls

_MARKS = ("<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>")


class GlmCalls(XmlCalls):
    name = "glm"
    begin, end = "<tool_call>", "</tool_call>"
    is_lenient = True
    opening = "<tool_call>{name}"
    argument = "\n<arg_key>{key}</arg_key>\n<arg_value>"
    value_end = "</arg_value>"
    closing_text = "\n</tool_call>"
    call_tag = re.compile(r"(?P<name>[^\s<>]{1,64})")
    # It omits <arg_value> (https://github.com/vllm-project/vllm/issues/49248) or </arg_value>
    # (https://github.com/ollama/ollama/pull/14656), and repeats tags (https://github.com/vllm-project/vllm/pull/54971).
    key_tag = re.compile(
        r"(?:<arg_key>)+\s*(?P<key>[^\s<>](?:[^<>]{0,254}[^\s<>])?)\s*(?:</arg_key>)+(?:\s*<arg_value>|\n?)"
    )
    value_tag, opening_tag = "</arg_value>", "<arg_value>"
    key_pattern = re.compile(r"[^\s<>](?:[^<>\n]{0,254}[^\s<>])?")
    forbidden = ("</arg_key>", "<arg_value>", "</arg_value>")

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template and all(mark in template for mark in _MARKS)

    @property
    def marks(self) -> tuple[str, ...]:
        return self.begin, self.end, *_MARKS

    def _start_rule(self, several: bool) -> str:
        return "/\\n?\\n?/ call (/\\n?/ call)*" if several else "/\\n?\\n?/ call"

    def _text_rule(self, text: str) -> str:
        """Line breaks are optional, so that one grammar fits all releases."""
        return " /\\n?/ ".join(super(GlmCalls, self)._text_rule(line) for line in text.split("\n"))


class Glm(Adapter):
    name = "glm"
    stop_tokens = ("<|user|>", "<|observation|>", "<|endoftext|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        # GLM 4 writes calls as names and JSON without markers, which are not parsed.
        self.tool_format = GlmCalls if GlmCalls.is_used_by(facts.chat_template) else None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return "[gMASK]" in facts.chat_template and "<|observation|>" in facts.chat_template

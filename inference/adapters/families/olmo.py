"""OLMo 1 to 3: turns that end with <|endoftext|>, and from OLMo 3 on with <|im_end|>, with calls in Python.

https://huggingface.co/allenai/Olmo-3-7B-Instruct - a call is a line of Python between <function_calls> tags;
templates of the reasoning models open <think> (https://huggingface.co/allenai/Olmo-3-7B-Think).
"""

from collections.abc import Mapping

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.pythonic import PythonCalls, Pythonic
from inference.core.requests import Tool


class OlmoCalls(Pythonic):
    """<function_calls>, calls in Python, each on a line of its own, </function_calls>."""

    name = "olmo"
    begin, end = "<function_calls>", "</function_calls>"
    ends_with_answer = False

    @classmethod
    def is_used_by(cls, template: str) -> bool:
        return cls.begin in template

    def can_become(self, body: str) -> bool:
        return True  # there are only calls between the tags

    def _parsed(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return LineCalls(body).calls()

    def _start_rule(self, several: bool) -> str:
        more = '("\\n" call)*' if several else ""
        return f"{self._mark_rule(self.begin)} call {more} {self._mark_rule(self.end)}"


class LineCalls(PythonCalls):
    """Calls with white space or a comma between them, or a list of calls."""

    def calls(self) -> list[tuple[str, str]]:
        if self.is_next("["):
            return super().calls()
        calls = []
        while not self.is_at_end:
            calls.append(self._call())
            self.accept(",")
        return calls


class Olmo(Adapter):
    name = "olmo"
    stop_tokens = ("<|endoftext|>", "<|im_end|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self.tool_format = OlmoCalls if OlmoCalls.is_used_by(facts.chat_template) else None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return facts.model_type.startswith("olmo")

"""OLMo 1 to 3: turns that end with <|endoftext|>, and from OLMo 3 on with <|im_end|>, with calls in Python.

https://huggingface.co/allenai/Olmo-3-7B-Instruct - a call is a line of Python between <function_calls> tags;
the thinking ones have <think> opened by their template (https://huggingface.co/allenai/Olmo-3-7B-Think).
"""

from collections.abc import Mapping

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.tool_calls.pythonic import PythonCalls, Pythonic
from inference.core.requests import Tool


class OlmoCalls(Pythonic):
    """<function_calls>, calls in Python, each on a line of its own, </function_calls>."""

    name = "olmo"
    begin, end = "<function_calls>", "</function_calls>"
    ends_with_answer = False

    @classmethod
    def is_written_by(cls, template: str) -> bool:
        return cls.begin in template

    def may_become(self, body: str) -> bool:
        return True  # nothing but calls is between the tags

    def _calls(self, body: str, tools: Mapping[str, Tool]) -> list[tuple[str, str]]:
        return LineCalls(body).calls()

    def _answer(self, several: bool) -> str:
        more = '("\\n" call)*' if several else ""
        return f"{self._mark(self.begin)} call {more} {self._mark(self.end)}"


class LineCalls(PythonCalls):
    """Calls one behind the other, with white space or a comma between; or a list of them."""

    def calls(self) -> list[tuple[str, str]]:
        if self.is_next("["):
            return super().calls()
        told = []
        while not self.is_at_end:
            told.append(self._call())
            self.takes(",")
        return told


class Olmo(Adapter):
    name = "olmo"
    stop_tokens = ("<|endoftext|>", "<|im_end|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self.tool_format = OlmoCalls if OlmoCalls.is_written_by(facts.chat_template) else None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return facts.model_type.startswith("olmo")

"""OLMo 1 to 3: turns that end with <|endoftext|>, and from OLMo 3 on with <|im_end|>, with calls in Python.

https://huggingface.co/allenai/Olmo-3-7B-Instruct - a call is a line of Python between <function_calls> tags;
the thinking ones have <think> opened by their template (https://huggingface.co/allenai/Olmo-3-7B-Think).
"""

from collections.abc import Mapping, Sequence

from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.adapters.pythonic import Pythonic
from inference.requests import Tool


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

    def parse(self, body: str, tools: Mapping[str, Tool]) -> Sequence[tuple[str, str]]:
        listed = body.strip()
        if not listed.startswith("["):
            listed = f"[{', '.join(line.strip() for line in listed.splitlines() if line.strip())}]"
        return super().parse(listed, tools)

    def lark(self, tools: Sequence[Tool], several: bool) -> str:
        _, rules = super().lark(tools, several).split("\n", 1)
        more = '("\\n" call)*' if several else ""
        return f"start: {self._mark(self.begin)} call {more} {self._mark(self.end)}\n{rules}"


class Olmo(Adapter):
    name = "olmo"
    stop_tokens = ("<|endoftext|>", "<|im_end|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self.tool_format = OlmoCalls if OlmoCalls.is_written_by(facts.chat_template) else None
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        return facts.model_type.startswith("olmo")

"""Llama 4: turns end with <|eot|>, calls with <|eom|>, texts with <|end_of_text|>; the headers are new.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama4/ - its template asks for calls as bare JSON
objects and writes an empty <|python_start|><|python_end|> before them; models often put them between the two
(https://github.com/vllm-project/vllm/issues/16214). A template may ask for Python instead.
"""

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts
from inference.adapters.tokenizer import Tokenizer
from inference.adapters.tool_calls.call_prefix import chars, object_prefixes
from inference.adapters.tool_calls.pythonic import Pythonic
from inference.adapters.tool_calls.tool_formats import Llama3Json

_BEGIN, _END = "<|python_start|>", "<|python_end|>"


class Llama4Json(Llama3Json):
    """JSON objects: bare, between the markers or behind them."""

    name = "llama4_json"
    begin, end = _BEGIN, _END
    prefixes = (*object_prefixes(), *object_prefixes(chars(_END)))
    closing = ("}", ";", _END)

    def _start_rule(self, several: bool) -> str:
        return "call+" if several else "call"


class Llama4Python(Pythonic):
    """A list of calls in Python, bare or between the markers."""

    name = "llama4_python"
    begin, end = _BEGIN, _END
    is_bare = True

    def _required_marks(self) -> tuple[str, str]:
        return "", ""


class Llama4(Adapter):
    name = "llama4"
    stop_tokens = ("<|eot|>", "<|eom|>", "<|end_of_text|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        self.tool_format = Llama4Python if "[func_name1(" in facts.chat_template else Llama4Json
        super().__init__(facts, tokenizer)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if not facts.model_type.startswith("llama4"):
            return False
        return "<|header_start|>" in facts.chat_template or not facts.chat_template

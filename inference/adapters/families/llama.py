"""Llama 3.x: a turn ends with <|eot_id|>, a tool call with <|eom_id|>, a text with <|end_of_text|>.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/ - configs of the first releases name only
<|end_of_text|>, and such a model runs on past its answer (https://github.com/meta-llama/llama3/issues/224).
"""

from collections.abc import Sequence

from inference.adapters.base import Adapter, ModelFacts
from inference.adapters.chat_template import normalisation
from inference.adapters.tool_calls.tool_formats import Llama3Json
from inference.core.requests import Message


class Llama3(Adapter):
    name = "llama3"
    stop_tokens = ("<|end_of_text|>", "<|eot_id|>", "<|eom_id|>")
    tool_format = Llama3Json

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if facts.model_type not in {"llama", "mllama"}:
            return False
        # A fine-tune with the same vocabulary may speak ChatML or DeepSeek's format: its template decides.
        return "<|start_header_id|>" in facts.chat_template or (
            not facts.chat_template and facts.declares("<|eot_id|>")
        )

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Each call in a turn of its own, its result behind it: the template refuses a turn with two."""
        return normalisation.one_call_a_turn(messages)

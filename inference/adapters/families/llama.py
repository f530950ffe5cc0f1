"""Llama 3.x: turns end with <|eot_id|>, tool calls with <|eom_id|>, texts with <|end_of_text|>.

https://www.llama.com/docs/model-cards-and-prompt-formats/llama3_1/ - configs of the first releases list only
<|end_of_text|>, and such a model generates past the end of its answer (https://github.com/meta-llama/llama3/issues/224).
"""

from collections.abc import Sequence

from inference.adapters.base import Adapter
from inference.adapters.chat_template import normalisation
from inference.adapters.model_facts import ModelFacts
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
        # Fine-tunes with the same vocabulary use ChatML or DeepSeek's format, so the template decides.
        return "<|start_header_id|>" in facts.chat_template or (
            not facts.chat_template and facts.has_added_token("<|eot_id|>")
        )

    def normalise(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Each call in a turn of its own, followed by its result: the template rejects a turn with two."""
        return normalisation.one_call_a_turn(messages)

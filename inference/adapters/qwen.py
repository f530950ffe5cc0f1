"""Qwen 1.5 to 3.5, Coder and QwQ: turns that end with <|im_end|>, texts with <|endoftext|>.

https://huggingface.co/Qwen/Qwen3.5-4B/blob/main/chat_template.jinja - the base models' files name only
<|endoftext|>, and converted ones often lose one of the two (https://github.com/ml-explore/mlx-lm/issues/1296).
Calls are JSON up to Qwen 3 and XML in Qwen3-Coder and 3.5; the template says which. Qwen 3.5 refuses a system
message that is not the first, which is what agents send to remind the model of something.
"""

from collections.abc import Sequence

from inference.adapters import folding
from inference.adapters.base import Adapter, ModelFacts, Tokenizer
from inference.requests import Message

_PROBE = "probe-of-a-late-system-message"
_LATE = (Message(role="user", content="hi"), Message(role="system", content=_PROBE))


class Qwen(Adapter):
    name = "qwen"
    stop_tokens = ("<|im_end|>", "<|endoftext|>")

    def __init__(self, facts: ModelFacts, tokenizer: Tokenizer) -> None:
        super().__init__(facts, tokenizer)
        self._takes_late_system = self._has_place_for((*_LATE, _LATE[0]), _PROBE)

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Fine-tunes may speak another format: DeepSeek-R1-Distill-Qwen does.
        is_qwen = facts.model_type.startswith("qwen")
        return is_qwen and ("<|im_start|>" in facts.chat_template or not facts.chat_template)

    def fold(self, messages: Sequence[Message]) -> Sequence[Message]:
        folded = super().fold(messages)
        return folded if self._takes_late_system else folding.one_system(folded)

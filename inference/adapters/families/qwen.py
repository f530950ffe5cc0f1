"""Qwen 1.5 to 3.5, Coder and QwQ: turns that end with <|im_end|>, texts with <|endoftext|>.

https://huggingface.co/Qwen/Qwen3.5-4B/blob/main/chat_template.jinja - files of the base models list only
<|endoftext|>, and converted models often lose one of the two (https://github.com/ml-explore/mlx-lm/issues/1296).
Calls are JSON up to Qwen 3 and XML in Qwen3-Coder and 3.5; the template decides which.
"""

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts


class Qwen(Adapter):
    name = "qwen"
    stop_tokens = ("<|im_end|>", "<|endoftext|>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Fine-tunes may use another format, such as DeepSeek-R1-Distill-Qwen.
        is_qwen = facts.model_type.startswith("qwen")
        return is_qwen and ("<|im_start|>" in facts.chat_template or not facts.chat_template)

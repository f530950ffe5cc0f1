"""Qwen 1.5 to 3.5, Coder and QwQ: turns that end with <|im_end|>, texts with <|endoftext|>.

https://huggingface.co/Qwen/Qwen3.5-4B/blob/main/chat_template.jinja - the base models' files name only
<|endoftext|>, and converted ones often lose one of the two (https://github.com/ml-explore/mlx-lm/issues/1296).
Calls are JSON up to Qwen 3 and XML in Qwen3-Coder and 3.5; the template says which.
"""

from inference.adapters.base import Adapter, ModelFacts


class Qwen(Adapter):
    name = "qwen"
    stop_tokens = ("<|im_end|>", "<|endoftext|>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        # Fine-tunes may speak another format: DeepSeek-R1-Distill-Qwen does.
        is_qwen = facts.model_type.startswith("qwen")
        return is_qwen and ("<|im_start|>" in facts.chat_template or not facts.chat_template)

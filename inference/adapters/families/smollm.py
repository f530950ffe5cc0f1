"""SmolLM 2 and 3: ChatML, whose turns end with <|im_end|> and texts with <|endoftext|> or <|end_of_text|>.

https://huggingface.co/HuggingFaceTB/SmolLM3-3B - SmolLM 3 reasons unless `enable_thinking` is false or the
system message says /no_think; its calls have Hermes's format. The template of SmolLM 2 does not render tools
(https://huggingface.co/HuggingFaceTB/SmolLM2-1.7B-Instruct).
"""

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts


class SmolLM(Adapter):
    name = "smollm"
    stop_tokens = ("<|im_end|>", "<|endoftext|>", "<|end_of_text|>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if facts.model_type == "smollm3":
            return True
        return facts.model_type == "llama" and "named SmolLM" in facts.chat_template

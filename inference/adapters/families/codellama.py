"""Llama 2 and CodeLlama: turns in [INST], an answer ends with </s>, an infill with <EOT>.

https://huggingface.co/codellama/CodeLlama-7b-hf - an infill ends with CodeLlama's own <EOT>, which its config
does not list (https://github.com/huggingface/transformers/issues/28150). Turns of the 70b end with <step>; if
it is not a stop token, its answers never end (https://github.com/vllm-project/vllm/issues/2686).
"""

from inference.adapters.base import Adapter
from inference.adapters.model_facts import ModelFacts


class CodeLlama(Adapter):
    name = "codellama"
    stop_tokens = ("</s>", "▁<EOT>", "<EOT>", "<step>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        if facts.model_type != "llama":
            return False
        is_code = "CodeLlama" in str(facts.tokenizer_config.get("tokenizer_class"))
        return is_code or "[INST]" in facts.chat_template

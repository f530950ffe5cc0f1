"""Llama 2 and CodeLlama: turns in [INST], the answer ends with </s>, an infill with <EOT>.

https://huggingface.co/codellama/CodeLlama-7b-hf - an infill ends with CodeLlama's own <EOT>, which its config
does not name (https://github.com/huggingface/transformers/pull/28150).
"""

from inference.adapters.base import Adapter, ModelFacts


class CodeLlama(Adapter):
    name = "codellama"
    stop_tokens = ("</s>", "▁<EOT>", "<EOT>")

    @classmethod
    def fits(cls, facts: ModelFacts) -> bool:
        is_llama_2 = facts.model_type == "llama" and "CodeLlama" in str(
            facts.tokenizer_config.get("tokenizer_class")
        )
        return is_llama_2 or (facts.model_type == "llama" and "[INST]" in facts.chat_template)

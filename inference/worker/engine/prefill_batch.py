"""The prefill of prompts that share a chunk, each row with its adapter."""

from mlx_lm.generate import PromptProcessingBatch

from inference.worker.lora.rows import lora_rows
from inference.worker.sampling.token_sampler import TokenSampler


class Prefill(PromptProcessingBatch):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's PromptProcessingBatch, with a TokenSampler for each row in `samplers`."""

    samplers: list[TokenSampler]

    def prompt(self, tokens: list[list[int]]) -> None:
        """Compute these tokens of each prompt."""
        with lora_rows([sampler.lora for sampler in self.samplers]):
            super().prompt(tokens)

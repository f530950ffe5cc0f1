"""The prefill of prompts that share a chunk, each row with its adapter and its pictures."""

from mlx_lm.generate import PromptProcessingBatch

from inference.worker.lora.rows import lora_rows
from inference.worker.sampling.token_sampler import TokenSampler
from inference.worker.vision.rows import picture_rows


class Prefill(PromptProcessingBatch):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's PromptProcessingBatch, with a TokenSampler for each row in `samplers`."""

    samplers: list[TokenSampler]

    def prompt(self, tokens: list[list[int]]) -> None:
        """Compute these tokens of each prompt."""
        # In one pass: mlx-lm would divide it by the chunk of the step in which the prompt began.
        self.prefill_step_size = max(map(len, tokens), default=1)
        pictures = picture_rows([sampler.pictures for sampler in self.samplers], list(map(len, self.tokens)))
        with lora_rows([sampler.lora for sampler in self.samplers]), pictures:
            super().prompt(tokens)

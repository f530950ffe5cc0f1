"""The decode step: one token for every running sequence, without work that no request needs.

mlx-lm's GenerationBatch normalises the logits of every row at every step and waits for the result, calls
samplers row by row, and has logits processors that need the tokens. This is its step with a TokenSampler
(token_sampler.py) for each row:

1. Run the model on the tokens of the last step: (B, 1) int32 to logits (B, V).
2. Rows with a grammar consume those tokens, while the device computes the logits.
3. Apply penalties, biases and masks to the rows that have them.
4. Sample all rows, (B, V) to (B,) uint32, and compute the log probabilities that are requested.
5. Start to compute them, and return the tokens of the last step, which are ready by now.
"""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
from mlx_lm.generate import GenerationBatch

from inference.worker.lora.rows import lora_rows
from inference.worker.sampling.logprobs import LazyLogprob
from inference.worker.sampling.token_sampler import TokenSampler, sample_rows


class Decode(GenerationBatch):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's GenerationBatch, with a TokenSampler for each row in `samplers`."""

    samplers: list[TokenSampler]
    _next_tokens: Any
    _next_logprobs: list[LazyLogprob | None]

    @property
    def model(self) -> Callable[..., mx.array]:
        """The model, in which each row of this batch is computed with its adapter."""
        return self._forward

    @model.setter
    def model(self, model: Callable[..., mx.array]) -> None:
        self._model = model

    def _forward(self, *inputs: Any, **options: Any) -> mx.array:
        with lora_rows([sampler.lora for sampler in self.samplers]):
            return self._model(*inputs, **options)

    def _step(self) -> tuple[list[int], list[LazyLogprob | None]]:
        """Start to compute the next tokens; returns the current ones with their log probabilities."""
        self._current_tokens, self._current_logprobs = self._next_tokens, self._next_logprobs
        inputs = self._current_tokens
        logits = self.model(inputs[:, None], cache=self.prompt_cache)[:, -1, :]
        if any(sampler.is_constrained for sampler in self.samplers):
            mx.async_eval(logits)  # type: ignore[no-untyped-call]  # computed while the masks are made
            for sampler, token in zip(self.samplers, inputs.tolist(), strict=True):
                sampler.observe(token)
        if any(sampler.changes_logits for sampler in self.samplers):
            logits = self._processed(inputs, logits)
        self._next_tokens = sample_rows(self.samplers, logits)
        self._next_logprobs = [
            sampler.logprob_for(logits[row], self._next_tokens[row]) if sampler.has_logprob else None
            for row, sampler in enumerate(self.samplers)
        ]
        mx.async_eval(  # type: ignore[no-untyped-call]
            self._next_tokens, *(a for lp in self._next_logprobs if lp for a in lp.arrays)
        )
        tokens = inputs.tolist()
        for known, token in zip(self.tokens, tokens, strict=True):
            known.append(token)
        return tokens, self._current_logprobs

    def _processed(self, inputs: mx.array, logits: mx.array) -> mx.array:
        rows = [
            sampler.process(inputs[row : row + 1], logits[row : row + 1])
            if sampler.changes_logits
            else logits[row : row + 1]
            for row, sampler in enumerate(self.samplers)
        ]
        return mx.concatenate(rows, axis=0)

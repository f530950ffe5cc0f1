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
from inference.worker.sampling.logprobs import RowLogprob
from inference.worker.sampling.row_samplers import RowSamplers
from inference.worker.sampling.token_sampler import TokenSampler
from inference.worker.sharding.group import of_rank_0
from inference.worker.vision.rows import answer_rows


class Decode(GenerationBatch):  # type: ignore[misc]  # mlx-lm is not typed
    """mlx-lm's GenerationBatch, with a TokenSampler for each row in `samplers`."""

    samplers: list[TokenSampler]
    _rows: RowSamplers | None = None
    _next_tokens: Any
    _next_logprobs: list[RowLogprob | None]

    @property
    def model(self) -> Callable[..., mx.array]:
        """The model, in which each row of this batch has its adapter and its pictures behind it."""
        return self._forward

    @model.setter
    def model(self, model: Callable[..., mx.array]) -> None:
        self._model = model

    def _forward(self, *inputs: Any, **options: Any) -> mx.array:
        pictures = answer_rows([sampler.pictures for sampler in self.samplers])
        with lora_rows([sampler.lora for sampler in self.samplers]), pictures:
            return self._model(*inputs, **options)

    def _step(self) -> tuple[list[int], list[RowLogprob | None]]:
        """Start to compute the next tokens; returns the current ones with their log probabilities."""
        self._current_tokens, self._current_logprobs = self._next_tokens, self._next_logprobs
        inputs = self._current_tokens
        logits = self.model(inputs[:, None], cache=self.prompt_cache).squeeze(1)
        rows = self._rows = RowSamplers.of(self.samplers, self._rows)
        if rows.constrained:
            mx.async_eval(logits)  # type: ignore[no-untyped-call]  # computed while the masks are made
            for sampler, token in zip(self.samplers, inputs.tolist(), strict=True):
                sampler.observe(token)
        logits = rows.process(inputs, logits)
        self._next_tokens = of_rank_0(rows.sample(logits))
        self._next_logprobs, lazy = rows.logprobs(logits, self._next_tokens)
        mx.async_eval(  # type: ignore[no-untyped-call]
            self._next_tokens, *(array for one in lazy for array in one.arrays)
        )
        tokens = inputs.tolist()
        for known, token in zip(self.tokens, tokens, strict=True):
            known.append(token)
        return tokens, self._current_logprobs

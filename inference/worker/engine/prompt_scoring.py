"""Prefill that keeps the log probability of each prompt token: for `prompt_logprobs` and scored echoes."""

from typing import TYPE_CHECKING

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.lora.rows import lora_rows
from inference.worker.sampling.logprobs import Logprob
from inference.worker.vision.places import whole_chunk
from inference.worker.vision.rows import PictureRow, picture_rows

if TYPE_CHECKING:
    from inference.worker.engine.sequence import Sequence

_CHUNK_TOKENS = 64  # its logits take (chunk, V) floats


class PromptScoring:
    """The scoring of one prompt; `sequences` are those that answer it."""

    def __init__(
        self, model: nn.Module, sequences: "tuple[Sequence, ...]", pictures: PictureRow | None = None
    ) -> None:
        self.sequences = sequences
        self.cache = make_prompt_cache(model)
        self.logprobs: list[Logprob] = []  # of all tokens but the first, which nothing predicts
        self._model = model
        self.pictures = pictures

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.sequences[0].prompt

    @property
    def is_done(self) -> bool:
        return len(self.logprobs) >= len(self.prompt) - 1

    @property
    def bytes(self) -> int:
        return sum(int(layer.nbytes) for layer in self.cache)

    def step(self) -> None:
        """Compute the next chunk; the last token is left to the decode step.

        The chunk, (1, C) int32, becomes logits (1, C, V). Each row is normalised and read at the id of the
        token that follows it in the prompt.
        """
        start = len(self.logprobs)
        pictures = self.sequences[0].pictures
        end = whole_chunk(
            start, min(start + _CHUNK_TOKENS, len(self.prompt) - 1), pictures.wholes if pictures else ()
        )
        with lora_rows([self.sequences[0].lora]), picture_rows([self.pictures], [start]):
            logits = self._model(mx.array([self.prompt[start:end]]), cache=self.cache)[0]
        logits = logits.astype(mx.float32)
        logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        following = mx.array(self.prompt[start + 1 : end + 1])[:, None]
        chosen = mx.take_along_axis(logprobs, following, axis=-1)
        values, ranks = np.array(chosen[:, 0]).tolist(), np.array(1 + (logprobs > chosen).sum(-1)).tolist()
        tops = self._top_logprobs(logprobs)
        self.logprobs += [
            Logprob(value, top, rank=rank) for value, top, rank in zip(values, tops, ranks, strict=True)
        ]

    def _top_logprobs(self, logprobs: mx.array) -> list[tuple[tuple[int, float], ...]]:
        """The likeliest tokens of each row of (C, V) with their log probabilities, likeliest first."""
        count = max(self.sequences[0].logprobs or 0, self.sequences[0].prompt_alternatives)
        if not count:
            return [()] * len(logprobs)
        best = mx.argpartition(logprobs, kth=-count, axis=-1)[:, -count:]
        order = mx.argsort(-mx.take_along_axis(logprobs, best, axis=-1), axis=-1)
        best = mx.take_along_axis(best, order, axis=-1)
        ids, values = np.array(best), np.array(mx.take_along_axis(logprobs, best, axis=-1))
        return [
            tuple(zip(row.tolist(), floats.tolist(), strict=True))
            for row, floats in zip(ids, values, strict=True)
        ]

"""Whether a model says in a batch what it says alone, found by computing both.

Steps:

1. Each of three prompts is computed alone, with the tokens that follow it, in one forward pass.
2. One course through a batch, about a dozen passes: two prompts of unequal length are prefilled in the same
   padded chunks and decode; the third joins, the first leaves; two rows begin with copies of one row's
   caches; these are kept, trimmed and go on otherwise. The logits of each step are compared with step 1.
3. Where they differ, each of these is tried by itself, to find what can be done with this model.

Logits are compared by their relative distance, in the median over the steps of a row: a wrong mask, position
or state is wrong at every step, while rounding that sends a token to another expert is an exception. What
counts as rounding is measured as well: one prompt computed in one chunk and in two.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.generate import PromptProcessingBatch
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.layers import Cache, can_trim, copy_caches, trim_copy, unmergeable_type

_LENGTHS = (5, 12, 7)  # tokens of the prompts; the first two begin together
_CHUNK = 6  # of prefill: the short prompt ends in the middle of the first
_STEPS = 2  # compared after each change of the batch
_FOLLOWING = 4 * _STEPS  # tokens behind each prompt
_TOLERANCE = {mx.float32: 2e-3}  # relative distance that is still rounding
_TOLERANCE_OF_HALF = 0.05
_NOISE_FACTOR = 4  # times the measured rounding
# Right with the short prompts of a verification and wrong beyond: what tests/architectures found.
_WRONG_WITH_LONGER_PROMPTS = {
    "mlx_lm.models.minimax_m3_vl": "in a batch its sparse attention chooses other blocks than alone",
}

Logits = np.ndarray[Any, np.dtype[np.float32]]  # shape (steps, vocabulary)


@dataclass(frozen=True)
class Row:
    """What a prompt's row said: the logits of its steps from `start` on."""

    prompt: int
    start: int
    logits: Logits


Computation = Callable[[], Iterator[Row]]


def verified(model: nn.Module, vocab_size: int) -> BatchSupport:
    """What of batching this model does right."""
    check = Verification(model, vocab_size)
    reason = _WRONG_WITH_LONGER_PROMPTS.get(type(model).__module__) or check.unmergeable_type
    if not reason and check.is_correct(check.full_run):
        return BatchSupport()
    if not reason and not (check.is_correct(check.joined) and check.is_correct(check.copies)):
        reason = "in a batch this model says something else than alone"
    reuses = check.is_correct(check.reuse)
    return BatchSupport(
        can_batch=not reason,
        can_prefill_together=not reason and check.is_correct(check.padded),
        can_trim_prefixes=reuses and check.is_correct(check.trim),
        can_reuse_prefixes=reuses,
        reason=reason,
    )


class Verification:
    """The prompts, what each of them says alone, and the ways to compute them otherwise.

    No token is drawn: all ways are given the same tokens, so all of their logits compare.
    """

    def __init__(self, model: nn.Module, vocab_size: int) -> None:
        self._model = model
        random = np.random.default_rng(7)
        self._tokens = [random.integers(0, vocab_size, n + _FOLLOWING).tolist() for n in _LENGTHS]
        self._alone = [
            self._forward(ids, make_prompt_cache(model))[length - 1 :]
            for ids, length in zip(self._tokens, _LENGTHS, strict=True)
        ]
        dtypes = {array.dtype for _, array in tree_flatten(model.parameters())}
        floats = [dtype for dtype in dtypes if mx.issubdtype(dtype, mx.floating)]
        floor = max(_TOLERANCE.get(dtype, _TOLERANCE_OF_HALF) for dtype in floats)
        self._tolerance = max(floor, _NOISE_FACTOR * min(self._noise(), floor))

    @property
    def unmergeable_type(self) -> str:
        """Why this model's caches cannot be rows of a batch; empty when they can."""
        name = unmergeable_type(make_prompt_cache(self._model))
        return f"mlx-lm cannot merge this model's caches ({name})" if name else ""

    def is_correct(self, computation: Computation) -> bool:
        """Whether every row computed this way says what its prompt says alone."""
        try:
            return all(self._is_right(row) for row in computation())
        except Exception:  # a model that cannot be computed this way does not do it right either
            return False

    # The ways.

    def full_run(self) -> Iterator[Row]:
        """All that happens to rows of a batch, one thing after the other."""
        batch = self._prefilled_together()
        yield from self._decoded(batch, [0, 1], [0, 0])
        batch.extend(self._prefilled(2))
        yield from self._decoded(batch, [0, 1, 2], [_STEPS, _STEPS, 0])
        batch.filter([1, 2])
        kept = batch.extract_cache(0)
        copies = self._batch_of([1, 1], [copy_caches(kept), copy_caches(kept)])
        yield from self._decoded(batch, [1, 2], [2 * _STEPS, _STEPS])
        yield from self._decoded(copies, [1, 1], [2 * _STEPS, 2 * _STEPS])
        yield from self._rewound(kept, 2 * _STEPS)

    def padded(self) -> Iterator[Row]:
        """Two prompts prefilled in the same chunks."""
        yield from self._decoded(self._prefilled_together(), [0, 1], [0, 0])

    def joined(self) -> Iterator[Row]:
        """Two prompts prefilled apart; then a third joins, and then the first leaves."""
        batch = self._prefilled(0)
        batch.extend(self._prefilled(1))
        yield from self._decoded(batch, [0, 1], [0, 0])
        batch.extend(self._prefilled(2))
        yield from self._decoded(batch, [0, 1, 2], [_STEPS, _STEPS, 0])
        batch.filter([1, 2])
        yield from self._decoded(batch, [1, 2], [2 * _STEPS, _STEPS])

    def copies(self) -> Iterator[Row]:
        """Two rows that begin with copies of one prompt's caches."""
        begun = self._prefilled(1)
        batch = self._batch_of([1, 1], [begun.extract_cache(0), begun.extract_cache(0)])
        yield from self._decoded(batch, [1, 1], [0, 0])

    def reuse(self) -> Iterator[Row]:
        """Caches that were kept go on, and another sequence went on from them meanwhile."""
        cache = self._filled(1, _STEPS)
        kept, other = copy_caches(cache), copy_caches(cache)
        self._forward(self._tokens[0], other)
        yield self._continued(1, _STEPS, kept)

    def trim(self) -> Iterator[Row]:
        """Caches that went further are trimmed."""
        yield from self._rewound(self._filled(1, _STEPS), _STEPS)

    def _rewound(self, cache: Cache, steps: int) -> Iterator[Row]:
        """The second prompt, of which the cache holds so many steps, goes on from some steps before."""
        back = _STEPS if can_trim(cache) else 0
        yield self._continued(1, steps - back, trim_copy(cache, back))

    # Computing.

    def _is_right(self, row: Row) -> bool:
        alone = self._alone[row.prompt][row.start : row.start + len(row.logits)]
        return _distance(row.logits, alone) <= self._tolerance

    def _noise(self) -> float:
        """How much rounding moves the logits of one prompt."""
        ids, length = self._tokens[1], _LENGTHS[1]
        cache = make_prompt_cache(self._model)
        self._forward(ids[:_CHUNK], cache)
        return _distance(self._forward(ids[_CHUNK:], cache)[length - _CHUNK - 1 :], self._alone[1])

    def _filled(self, prompt: int, steps: int) -> Cache:
        """Caches of a prompt without its last token, or with so many of its steps."""
        cache: Cache = make_prompt_cache(self._model)
        self._forward(self._tokens[prompt][: _LENGTHS[prompt] - 1 + steps], cache)
        return cache

    def _continued(self, prompt: int, start: int, cache: Cache) -> Row:
        """What follows the caches of a prompt's first `start` steps, in one pass."""
        first = _LENGTHS[prompt] - 1 + start
        return Row(prompt, start, self._forward(self._tokens[prompt][first : first + _STEPS], cache))

    def _prefilled_together(self) -> PromptProcessingBatch:
        """The first two prompts, of which the shorter ends in the middle of a chunk they share."""
        batch = self._batch_of([0, 1], [make_prompt_cache(self._model) for _ in range(2)])
        prompts = [self._tokens[prompt][: _LENGTHS[prompt] - 1] for prompt in (0, 1)]
        batch.prompt([ids[:_CHUNK] for ids in prompts])
        begun = batch.split([0])
        batch.prompt([prompts[1][_CHUNK:]])
        begun.extend(batch)
        return begun

    def _prefilled(self, prompt: int) -> PromptProcessingBatch:
        batch = self._batch_of([prompt], [make_prompt_cache(self._model)])
        batch.prompt([self._tokens[prompt][: _LENGTHS[prompt] - 1]])
        return batch

    def _batch_of(self, prompts: Sequence[int], caches: list[Cache]) -> PromptProcessingBatch:
        rows = len(prompts)
        return PromptProcessingBatch(
            self._model,
            list(prompts),
            caches,
            samplers=[None] * rows,
            logits_processors=[()] * rows,
        )

    def _decoded(
        self, batch: PromptProcessingBatch, prompts: Sequence[int], starts: Sequence[int]
    ) -> Iterator[Row]:
        """Let each row take its next steps."""
        places = [_LENGTHS[prompt] - 1 + start for prompt, start in zip(prompts, starts, strict=True)]
        steps = []
        for step in range(_STEPS):
            inputs = [self._tokens[p][place + step] for p, place in zip(prompts, places, strict=True)]
            steps.append(self._logits(mx.array(inputs)[:, None], batch.prompt_cache)[:, 0])
        for row, (prompt, start) in enumerate(zip(prompts, starts, strict=True)):
            yield Row(prompt, start, np.stack([step[row] for step in steps]))

    def _forward(self, tokens: list[int], cache: Cache) -> Logits:
        """The logits behind each of these tokens, shape (tokens, vocabulary)."""
        found: Logits = self._logits(mx.array([tokens]), cache)[0]
        return found

    def _logits(self, inputs: mx.array, cache: Cache) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """The logits behind every input, shape (rows, tokens, vocabulary)."""
        logits = self._model(inputs, cache=cache).astype(mx.float32)
        mx.eval(logits, [layer.state for layer in cache])
        found = np.array(logits)
        return np.where(np.isneginf(found), np.float32(0), found)  # tokens that only pad the vocabulary


def _distance(one: Logits, other: Logits) -> float:
    """The relative distance of two logits, shape (steps, vocabulary), in the median over the steps."""
    centred = other - other.mean(axis=-1, keepdims=True)
    differences = one - one.mean(axis=-1, keepdims=True) - centred
    sizes = np.maximum(np.linalg.norm(centred, axis=-1), 1e-9)
    distance = float(np.median(np.linalg.norm(differences, axis=-1) / sizes))
    return distance if np.isfinite(distance) else float("inf")

"""Whether a model gives the same logits in a batch as alone, found by computing both.

Steps:

1. Each of three prompts is computed alone, with the tokens that follow it, in one forward pass.
2. One run through a batch takes about a dozen passes. Two prompts of unequal length are prefilled in the same
   right-padded chunks, (2, 6) int32, and decode, (2, 1) int32; the third joins (extend), the first leaves
   (filter); two rows begin with copies of one row's caches (extract, merge); these caches are then stored and
   trimmed, and continue. The logits of each step, (rows, V), are compared with those of step 1.
3. If they differ, each of these is checked alone, to find out which ways of batching can be used.

Logits are compared by their relative distance, in the median over the steps of a row: a wrong mask, position
or state is wrong at every step, while rounding that sends a token to another expert is an exception. What
counts as rounding is measured, too: one prompt computed in one chunk and in two.
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

from inference.worker.kv_quantization.packed_kv import PackedKV
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.layers import Cache, can_trim, copy_caches, trim_copy, unmergeable_type

_LENGTHS = (5, 12, 7)  # tokens of the prompts; the first two begin together
_CHUNK = 6  # of prefill: the short prompt ends in the middle of the first
_STEPS = 2  # compared after each change of the batch
_FOLLOWING = 4 * _STEPS  # tokens behind each prompt
_TOLERANCE = {mx.float32: 2e-3}  # relative distance that is still rounding
_TOLERANCE_OF_HALF = 0.05
# Rounding may send a number of a packed key to its next step: on SmolLM2-135M with 8 bits, that is 0.01.
_TOLERANCE_OF_PACKED = 0.05
_NOISE_FACTOR = 4  # times the measured rounding
# Right for the short prompts of a verification and wrong for longer ones, as tests/architectures found.
_WRONG_WITH_LONGER_PROMPTS = {
    "mlx_lm.models.minimax_m3_vl": "in a batch its sparse attention selects other blocks than alone",
}

Logits = np.ndarray[Any, np.dtype[np.float32]]  # shape (steps, vocabulary)


@dataclass(frozen=True)
class LogitsRow:
    """The logits of a prompt's row, from its step `start` on."""

    prompt: int
    start: int
    logits: Logits


Computation = Callable[[], Iterator[LogitsRow]]


def verified(model: nn.Module, vocab_size: int) -> BatchSupport:
    """The ways of batching that give right answers with this model; token ids are below `vocab_size`."""
    check = Verification(model, vocab_size)
    reason = _WRONG_WITH_LONGER_PROMPTS.get(type(model).__module__) or check.unmergeable_type
    if not reason and check.is_correct(check.full_run):
        return BatchSupport()
    if not reason and not (check.is_correct(check.joined) and check.is_correct(check.copies)):
        reason = "this model's answers change in a batch"
    reuses = check.is_correct(check.reuse)
    return BatchSupport(
        can_batch=not reason,
        can_prefill_together=not reason and check.is_correct(check.padded),
        can_trim_prefixes=reuses and check.is_correct(check.trim),
        can_reuse_prefixes=reuses,
        reason=reason,
    )


class Verification:
    """Three random prompts, their logits when computed alone, and other ways to compute them.

    No token is sampled: all ways get the same tokens, so that their logits can be compared.
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
        if any(isinstance(layer, PackedKV) for layer in make_prompt_cache(model)):
            floor = max(floor, _TOLERANCE_OF_PACKED)
        self._tolerance = max(floor, _NOISE_FACTOR * min(self._noise(), floor))

    @property
    def unmergeable_type(self) -> str:
        """Why this model's caches cannot be rows of a batch; empty when they can."""
        name = unmergeable_type(make_prompt_cache(self._model))
        return f"mlx-lm cannot merge this model's caches ({name})" if name else ""

    def is_correct(self, computation: Computation) -> bool:
        """Whether every row computed this way has the logits of its prompt alone."""
        try:
            return all(self._is_right(row) for row in computation())
        except Exception:  # a model that cannot be computed this way is not right either
            return False

    # The ways to compute.

    def full_run(self) -> Iterator[LogitsRow]:
        """Everything that happens to rows of a batch, one after the other (step 2 above)."""
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

    def padded(self) -> Iterator[LogitsRow]:
        """Two prompts prefilled in the same chunks."""
        yield from self._decoded(self._prefilled_together(), [0, 1], [0, 0])

    def joined(self) -> Iterator[LogitsRow]:
        """Two prompts prefilled apart; then a third joins, and then the first leaves."""
        batch = self._prefilled(0)
        batch.extend(self._prefilled(1))
        yield from self._decoded(batch, [0, 1], [0, 0])
        batch.extend(self._prefilled(2))
        yield from self._decoded(batch, [0, 1, 2], [_STEPS, _STEPS, 0])
        batch.filter([1, 2])
        yield from self._decoded(batch, [1, 2], [2 * _STEPS, _STEPS])

    def copies(self) -> Iterator[LogitsRow]:
        """Two rows that begin with copies of one prompt's caches."""
        started = self._prefilled(1)
        batch = self._batch_of([1, 1], [started.extract_cache(0), started.extract_cache(0)])
        yield from self._decoded(batch, [1, 1], [0, 0])

    def reuse(self) -> Iterator[LogitsRow]:
        """Stored caches continue, after another sequence has continued from a copy of them."""
        cache = self._filled(1, _STEPS)
        kept, other = copy_caches(cache), copy_caches(cache)
        self._forward(self._tokens[0], other)
        yield self._continued(1, _STEPS, kept)

    def trim(self) -> Iterator[LogitsRow]:
        """Caches are trimmed and continue."""
        yield from self._rewound(self._filled(1, _STEPS), _STEPS)

    def _rewound(self, cache: Cache, steps: int) -> Iterator[LogitsRow]:
        """The second prompt, of which the cache holds so many steps, continues from an earlier one."""
        back = _STEPS if can_trim(cache) else 0
        yield self._continued(1, steps - back, trim_copy(cache, back))

    # The computation.

    def _is_right(self, row: LogitsRow) -> bool:
        alone = self._alone[row.prompt][row.start : row.start + len(row.logits)]
        return _distance(row.logits, alone) <= self._tolerance

    def _noise(self) -> float:
        """The distance of one prompt's logits in two chunks from those in one."""
        ids, length = self._tokens[1], _LENGTHS[1]
        cache = make_prompt_cache(self._model)
        self._forward(ids[:_CHUNK], cache)
        return _distance(self._forward(ids[_CHUNK:], cache)[length - _CHUNK - 1 :], self._alone[1])

    def _filled(self, prompt: int, steps: int) -> Cache:
        """Caches of a prompt without its last token, and with the first `steps` tokens after that."""
        cache: Cache = make_prompt_cache(self._model)
        self._forward(self._tokens[prompt][: _LENGTHS[prompt] - 1 + steps], cache)
        return cache

    def _continued(self, prompt: int, start: int, cache: Cache) -> LogitsRow:
        """The steps after a prompt's first `start` steps, which are in the cache, in one pass."""
        first = _LENGTHS[prompt] - 1 + start
        return LogitsRow(prompt, start, self._forward(self._tokens[prompt][first : first + _STEPS], cache))

    def _prefilled_together(self) -> PromptProcessingBatch:
        """The first two prompts in shared chunks; the shorter one ends in the middle of a chunk."""
        batch = self._batch_of([0, 1], [make_prompt_cache(self._model) for _ in range(2)])
        prompts = [self._tokens[prompt][: _LENGTHS[prompt] - 1] for prompt in (0, 1)]
        batch.prompt([ids[:_CHUNK] for ids in prompts])
        started = batch.split([0])
        batch.prompt([prompts[1][_CHUNK:]])
        started.extend(batch)
        return started

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
    ) -> Iterator[LogitsRow]:
        """Decode the next steps of each row."""
        places = [_LENGTHS[prompt] - 1 + start for prompt, start in zip(prompts, starts, strict=True)]
        steps = []
        for step in range(_STEPS):
            inputs = [self._tokens[p][place + step] for p, place in zip(prompts, places, strict=True)]
            steps.append(self._logits(mx.array(inputs)[:, None], batch.prompt_cache)[:, 0])
        for row, (prompt, start) in enumerate(zip(prompts, starts, strict=True)):
            yield LogitsRow(prompt, start, np.stack([step[row] for step in steps]))

    def _forward(self, tokens: list[int], cache: Cache) -> Logits:
        """The logits after each of these tokens, shape (T, V)."""
        found: Logits = self._logits(mx.array([tokens]), cache)[0]
        return found

    def _logits(self, inputs: mx.array, cache: Cache) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """The logits after every input, (B, T) int32 to (B, T, V) float32."""
        logits = self._model(inputs, cache=cache).astype(mx.float32)
        mx.eval(logits, [layer.state for layer in cache])
        found = np.array(logits)
        return np.where(np.isneginf(found), np.float32(0), found)  # tokens that pad the vocabulary


def _distance(one: Logits, other: Logits) -> float:
    """The median over the steps of the relative distance of two arrays of logits, (steps, V)."""
    centred = other - other.mean(axis=-1, keepdims=True)
    differences = one - one.mean(axis=-1, keepdims=True) - centred
    sizes = np.maximum(np.linalg.norm(centred, axis=-1), 1e-9)
    distance = float(np.median(np.linalg.norm(differences, axis=-1) / sizes))
    return distance if np.isfinite(distance) else float("inf")

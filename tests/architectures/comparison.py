"""Whether a model gives the same answers in every serving mode as alone.

The reference is computed without our code: the prompt and its answer in one pass with fresh caches. The log
probabilities of each answer's tokens are compared with it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from inference.core.requests import Sampling
from inference.worker.engine.batch import Batch
from inference.worker.engine.sequence import Prefilled, Sampled, Sequence
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.prefix_cache.disk import DiskTier

VOCABULARY = 320
TOLERANCE = 5e-3  # of a log probability, which rounding in fp32 moves by some millionths
LENGTHS = (3, 40, 9, 70, 17, 33, 5)  # below and beyond windows of 32
TOKENS = 8
PREFILL = 48  # tokens: the longer prompts come in chunks
END = 319  # ends a message


@dataclass(frozen=True)
class Served:
    """One answer: the log probability of each token, and how much of its prompt was known before."""

    sequence: Sequence
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    cached: int


ServingMode = Callable[["Serving"], Iterator[Served]]


class Serving:
    """One model, served as the engine serves it."""

    def __init__(self, model: nn.Module, support: BatchSupport, folder: Path) -> None:
        self.model = model
        self.support = support
        self.folder = folder

    def batch(self, prefixes: PrefixCache | None = None) -> Batch:
        limit = 10**8 if prefixes and self.support.can_reuse_prefixes else 0
        kept = PrefixCache(limit, prefixes.disk, self.support.can_trim_prefixes) if prefixes else None
        return Batch(self.model, max_batch=16, prefill_step=PREFILL, prefix_cache=kept, support=self.support)

    def distance(self, served: Served) -> float:
        """How far the log probabilities of this answer are from those of the model alone."""
        alone = self._alone(served.sequence.prompt, served.tokens)
        return float(np.abs(np.array(served.logprobs) - alone).max())

    def _alone(self, prompt: tuple[int, ...], answer: tuple[int, ...]) -> "np.ndarray[Any, Any]":
        tokens = mx.array([[*prompt, *answer[:-1]]])
        logits = self.model(tokens, cache=make_prompt_cache(self.model))[0, len(prompt) - 1 :]
        logits = logits.astype(mx.float32)
        return np.array(logits[mx.arange(len(answer)), mx.array(answer)] - mx.logsumexp(logits, axis=-1))


def sequence(
    number: int, length: int, *, prompt: tuple[int, ...] = (), request: int | None = None
) -> Sequence:
    random = np.random.default_rng(length)
    return Sequence(
        id=number,
        prompt=prompt or tuple(random.integers(0, END, length).tolist()),
        max_tokens=TOKENS,
        sampling=Sampling(temperature=1.0, seed=number),
        stop_ids=frozenset({END}),
        logprobs=0,
        request=number if request is None else request,
    )


def run(batch: Batch, *wanted: Sequence, steps: int | None = None) -> list[Served]:
    """Step the batch to its end, or so many times; returns the answers of the sequences `wanted`."""
    generated: dict[int, list[Sampled]] = {one.id: [] for one in wanted}
    cached = dict.fromkeys(generated, 0)
    taken = 0
    while batch.is_busy and (steps is None or taken < steps):
        taken += 1
        for output in batch.step():
            if isinstance(output, Sampled) and output.id in generated:
                generated[output.id].append(output)
            elif isinstance(output, Prefilled) and output.id in generated:
                cached[output.id] = output.cached
    return [_served(one, generated[one.id], cached[one.id]) for one in wanted]


def _served(one: Sequence, generated: list[Sampled], cached: int) -> Served:
    logprobs = tuple(sampled.logprob.value for sampled in generated if sampled.logprob)
    return Served(one, tuple(sampled.token for sampled in generated), logprobs, cached)


def alone(serving: Serving) -> Iterator[Served]:
    """Each by itself."""
    for number, length in enumerate(LENGTHS[:4]):
        batch = serving.batch()
        batch.add(one := sequence(number, length))
        yield from run(batch, one)


def together(serving: Serving) -> Iterator[Served]:
    """All begin at once."""
    batch = serving.batch()
    wanted = [sequence(number, length) for number, length in enumerate(LENGTHS)]
    for one in wanted:
        batch.add(one)
    yield from run(batch, *wanted)


def joining(serving: Serving) -> Iterator[Served]:
    """They join one after another while others decode, and some leave early."""
    batch = serving.batch()
    wanted = [sequence(number, length) for number, length in enumerate(LENGTHS)]
    generated: dict[int, list[Sampled]] = {one.id: [] for one in wanted}
    for one in wanted:
        batch.add(one)
        for _ in range(4):
            for output in batch.step():
                if isinstance(output, Sampled):
                    generated[output.id].append(output)
        if one.id == 4:
            batch.remove(3)
    while batch.is_busy:
        for output in batch.step():
            if isinstance(output, Sampled):
                generated[output.id].append(output)
    yield from (_served(one, generated[one.id], 0) for one in wanted if generated[one.id])


def several(serving: Serving) -> Iterator[Served]:
    """Several answers to each of two prompts."""
    batch = serving.batch()
    groups = [
        [sequence(10 * place + copy, length, request=place) for copy in range(3)]
        for place, length in enumerate((40, 9))
    ]
    for group in groups:
        batch.add(*group)
    yield from run(batch, *(one for group in groups for one in group))


def another_turn(serving: Serving) -> Iterator[Served]:
    """A conversation goes on, is edited, and an edited one goes on, beside a stranger's."""
    yield from _conversation(serving, PrefixCache(1))


def _conversation(serving: Serving, prefixes: PrefixCache) -> Iterator[Served]:
    batch = serving.batch(prefixes)
    first = sequence(1, 0, prompt=_chat(20, 25))
    batch.add(first)
    (served,) = run(batch, first)
    yield served
    wanted = [
        sequence(2, 0, prompt=(*first.prompt, *served.tokens, *_chat(9))),
        sequence(3, 0, prompt=(*first.prompt[:-4], *_chat(12))),
        sequence(4, 0, prompt=(*first.prompt[:21], *_chat(30))),
    ]
    for one in wanted:
        batch.add(one)
    batch.add(sequence(5, 33))
    served_again = run(batch, *wanted)
    yield from served_again
    last = sequence(6, 0, prompt=(*wanted[1].prompt, *served_again[1].tokens, *_chat(5)))
    batch.add(last)
    yield from run(batch, last)


def _chat(*lengths: int) -> tuple[int, ...]:
    """Messages of these lengths, each with its end."""
    random = np.random.default_rng(sum(lengths))
    return tuple(token for length in lengths for token in (*random.integers(0, END, length).tolist(), END))


def from_disk(serving: Serving) -> Iterator[Served]:
    """A conversation that is read back from disk."""
    disk = DiskTier(serving.folder, 10**8)
    before = PrefixCache(10**8, disk, serving.support.can_trim_prefixes)
    first = sequence(1, 0, prompt=_chat(20, 25))
    batch = Batch(
        serving.model, max_batch=16, prefill_step=PREFILL, prefix_cache=before, support=serving.support
    )
    batch.add(first)
    (served,) = run(batch, first)
    for kept in before.entries:
        disk.write(kept)
    after = PrefixCache(10**8, DiskTier(serving.folder, 10**8), serving.support.can_trim_prefixes)
    batch = Batch(
        serving.model, max_batch=16, prefill_step=PREFILL, prefix_cache=after, support=serving.support
    )
    second = sequence(2, 0, prompt=(*first.prompt, *served.tokens, *_chat(9)))
    if after.disk and (saved := after.find_on_disk("", second.prompt)) and (entry := after.disk.read(saved)):
        after.restore(entry)
    batch.add(second)
    yield from run(batch, second)


SERVING_MODES: dict[str, ServingMode] = {
    "alone": alone,
    "together": together,
    "joining": joining,
    "several answers": several,
    "another turn": another_turn,
    "from disk": from_disk,
}

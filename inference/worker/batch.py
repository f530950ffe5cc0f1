"""The running batch: mlx-lm's BatchGenerator behind the few verbs the engine needs."""

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.generate import BatchGenerator, StopSequences
from mlx_lm.models.cache import KVCache, QuantizedKVCache, make_prompt_cache

from inference.requests import Sampling
from inference.types import FinishReason
from inference.worker import decode  # noqa: F401 - its step takes the place of mlx-lm's
from inference.worker.chooser import Chooser, Logprob
from inference.worker.embedding import Vectors
from inference.worker.grammar import Grammar
from inference.worker.pace import Pace
from inference.worker.prefixes import Found, Prefixes, boundaries, trimmed
from inference.worker.scoring import Scoring

# BatchGenerator wires the whole recommended working set in its constructor. On macOS that ends in
# kernel panics under load (https://github.com/ml-explore/mlx/issues/3186), so wiring is the operator's
# setting (loading.py) and mlx-lm never does it.
# By its full name: the attribute `mlx_lm.generate` is a function that hides the module.
importlib.import_module("mlx_lm.generate").maybe_set_recommended_wired_limit = lambda: None  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """One prompt to be continued, already checked against the loaded model."""

    id: int
    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    stop_ids: frozenset[int]
    owner: str = ""  # whose prefixes it may find and add to
    logprobs: int | None = None  # None: none; else how many alternatives for each token
    scores_prompt: bool = False  # whether the prompt's own tokens get log probabilities too
    grammar: Grammar | None = None  # what the answer must follow
    answered: tuple[int, ...] = ()  # its answer so far, when it is computed a second time


@dataclass(frozen=True)
class Sampled:
    """One new token; with a finish reason when it was the sequence's last."""

    id: int
    token: int
    finish: FinishReason | None
    logprob: Logprob | None = None


@dataclass(frozen=True)
class Prefilled:
    """How much of a prompt is in the KV cache, and how much of that was there before."""

    id: int
    done: int
    total: int
    cached: int = 0


@dataclass(frozen=True)
class Scored:
    """The log probabilities of a prompt's tokens, from its second one on."""

    id: int
    tokens: tuple[int, ...]
    logprobs: tuple[Logprob, ...]


Output = Sampled | Prefilled | Scored | Vectors


@dataclass(eq=False)
class Running:
    """A sequence in the batch."""

    sequence: Sequence
    generator: BatchGenerator
    uid: int
    cached: int
    left: int  # tokens of the prompt that are still to be computed
    copies: tuple[Sequence, ...] = ()  # of the same prompt, waiting for its cache
    tokens: list[int] = field(default_factory=list)  # given out so far

    @property
    def is_decoding(self) -> bool:
        return self.left == 0

    @property
    def rest(self) -> Sequence:
        """The same sequence, to be computed anew from where it is."""
        return replace(
            self.sequence,
            answered=(*self.sequence.answered, *self.tokens),
            max_tokens=self.sequence.max_tokens - len(self.tokens),
        )


class Batch:
    """All sequences of one model, stepped together. Made, used and dropped on one thread.

    With `has_exact_seeds` a seeded sequence is computed by itself, without a cached prefix: matrix
    products round differently for different batch shapes, and a near tie may then fall the other way.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        max_batch: int,
        prefill_step: int,
        prefixes: Prefixes | None = None,
        has_exact_seeds: bool = False,
    ) -> None:
        self._model = model
        self._pace = Pace(prefill_step)
        self._prefixes = prefixes or Prefixes(0)
        self._has_exact_seeds = has_exact_seeds
        self._needs_checkpoints = any(
            not isinstance(layer, KVCache | QuantizedKVCache) for layer in make_prompt_cache(model)
        )
        self._shared = self._new_generator(max_batch)
        self._running: dict[int, Running] = {}
        self._scoring: list[Scoring] = []

    @property
    def is_busy(self) -> bool:
        return bool(self._running or self._scoring)

    @property
    def ids(self) -> list[int]:
        return [sequence.id for sequence in self.unfinished]

    @property
    def kv_bytes(self) -> int:
        """What the KV caches of the running sequences hold."""
        scoring = sum(scoring.bytes for scoring in self._scoring)
        return scoring + sum(int(generator.prompt_cache_nbytes) for generator in self._generators())

    @property
    def unfinished(self) -> list[Sequence]:
        """The running sequences, as they would have to be added to go on elsewhere."""
        running = [one for r in self._running.values() for one in (r.rest, *r.copies)]
        return running + [sequence for scoring in self._scoring for sequence in scoring.sequences]

    def add(self, first: Sequence, *copies: Sequence) -> None:
        """Begin sequences of one prompt: the first is prefilled, its copies begin with its cache."""
        if first.scores_prompt:
            self._scoring.append(Scoring(self._model, (first, *copies)))
            return
        is_alone = self._has_exact_seeds and first.sampling.seed is not None
        tokens = [*first.prompt, *first.answered]
        found = None if is_alone else self._prefixes.find(first.owner, tokens)
        known = found.length if found else 0
        is_shared = not is_alone and known < len(tokens) - 1
        self._insert(first, found, is_alone=is_alone, copies=copies if is_shared else ())
        for copy in () if is_shared else copies:
            self.add(copy)

    def _insert(
        self,
        sequence: Sequence,
        found: Found | None,
        *,
        is_alone: bool = False,
        copies: tuple[Sequence, ...] = (),
    ) -> None:
        generator = self._new_generator(1) if is_alone else self._shared
        tokens = [*sequence.prompt, *sequence.answered]
        known = found.length if found else 0
        (uid,) = generator.insert_segments(
            [self._segments(tokens, known, sequence.stop_ids, has_copies=bool(copies))],
            max_tokens=[sequence.max_tokens],
            caches=[found.cache] if found else None,
            all_tokens=[tokens[:known]],
            samplers=[_chooser(sequence)],
            stop_sequences=[_stops(sequence.stop_ids)],
        )
        self._running[sequence.id] = Running(sequence, generator, uid, known, len(tokens) - known, copies)

    def remove(self, sequence_id: int) -> None:
        """Drop a sequence wherever it is, keeping what was computed; unknown ids have ended already."""
        running = self._running.pop(sequence_id, None)
        if running is None:
            self._forget_copy(sequence_id)
            return
        removed = running.generator.remove([running.uid], return_prompt_caches=True)
        cache, tokens = removed[running.uid]
        if len(tokens) > running.cached:
            self._keep(running, tokens, cache)
        if running.copies:
            self.add(*running.copies)

    def _forget_copy(self, sequence_id: int) -> None:
        for running in self._running.values():
            running.copies = tuple(copy for copy in running.copies if copy.id != sequence_id)
        for scoring in self._scoring:
            scoring.sequences = tuple(one for one in scoring.sequences if one.id != sequence_id)
        self._scoring = [scoring for scoring in self._scoring if scoring.sequences]

    def step(self) -> Iterator[Output]:
        """One token for every decoding sequence, and at most one chunk of prefill for the others."""
        if self._scoring:
            yield from self._score(self._scoring[0])
        for generator in self._generators():
            yield from self._step(generator)

    def _score(self, scoring: Scoring) -> Iterator[Output]:
        if not scoring.is_done:
            scoring.step()
        if not scoring.is_done:
            return
        self._scoring.remove(scoring)
        for sequence in scoring.sequences:
            yield Scored(sequence.id, scoring.prompt, tuple(scoring.logprobs))
            if sequence.max_tokens:
                known = len(scoring.logprobs)
                found = Found(known, trimmed(scoring.cache, 0)) if known else None
                self._insert(replace(sequence, scores_prompt=False), found)

    def _step(self, generator: BatchGenerator) -> Iterator[Output]:
        here = {running.uid: running for running in self._running.values() if running.generator is generator}
        is_decoding = any(running.is_decoding for running in self._running.values())
        chunk, together = self._pace.share([r.left for r in here.values() if r.left], is_decoding=is_decoding)
        generator.prefill_step_size, generator.prefill_batch_size = chunk, together
        started, before = time.perf_counter(), generator._counters.prompt_tokens
        prefills, decodes = generator.next()
        self._pace.note(generator._counters.prompt_tokens - before, time.perf_counter() - started)
        for prefill in prefills:
            yield self._prefilled(here[prefill.uid], prefill)
        for token in decodes:
            yield self._sampled(here[token.uid], token)

    def _prefilled(self, running: Running, response: Any) -> Prefilled:
        done, total = response.progress
        running.left = 0 if response.end_of_prompt else max(1, total - done)
        is_cut = response.end_of_segment and not response.end_of_prompt
        if is_cut and (self._needs_checkpoints or running.copies):
            self._on_cut(running)
        return Prefilled(running.sequence.id, done + running.cached, total + running.cached, running.cached)

    def _on_cut(self, running: Running) -> None:
        """A place in the prompt where its caches are kept, or given to its copies."""
        cache, tokens = running.generator.extract_cache([running.uid])[running.uid]
        if running.left > 1:
            self._keep(running, tokens, cache)
            return
        for copy in running.copies:
            self._insert(copy, Found(len(tokens), trimmed(cache, 0)))
        running.copies = ()

    def _sampled(self, running: Running, response: Any) -> Sampled:
        running.tokens.append(response.token)
        if response.finish_reason:
            del self._running[running.sequence.id]
            self._keep(running, response.all_tokens, response.prompt_cache)
        logprob = response.logprobs.read() if response.logprobs else None
        return Sampled(running.sequence.id, response.token, response.finish_reason, logprob)

    def _keep(self, running: Running, tokens: list[int], cache: list[Any]) -> None:
        if running.generator is self._shared:
            self._prefixes.keep(running.sequence.owner, tokens, cache)

    def _segments(
        self, tokens: list[int], known: int, ends: frozenset[int], *, has_copies: bool
    ) -> list[list[int]]:
        """The tokens still to be computed, cut where the caches are to be kept or shared."""
        cuts = set(boundaries(tokens, ends)) if self._needs_checkpoints else set()
        cuts |= {len(tokens) - 1} if has_copies else set()
        places = [known, *sorted(cut for cut in cuts if known < cut < len(tokens)), len(tokens)]
        return [tokens[start:end] for start, end in zip(places, places[1:], strict=False)]

    def _generators(self) -> list[BatchGenerator]:
        return list({id(r.generator): r.generator for r in self._running.values()}.values())

    def _new_generator(self, width: int) -> BatchGenerator:
        return BatchGenerator(
            self._model,
            completion_batch_size=width,
            prefill_batch_size=1,
            stream=mx.new_thread_local_stream(mx.default_device()),
        )


def _chooser(sequence: Sequence) -> Chooser:
    return Chooser(
        sequence.sampling,
        prompt=sequence.prompt,
        answered=sequence.answered,
        logprobs=sequence.logprobs,
        grammar=sequence.grammar,
    )


@lru_cache(maxsize=64)
def _stops(stop_ids: frozenset[int]) -> StopSequences:
    """The automaton that ends a sequence at any of these tokens, inside the generation loop."""
    return StopSequences([[token] for token in sorted(stop_ids)])

"""The running batch: the sequences of one model, stepped together (shared_lane.py) or one by one."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import mlx.nn as nn
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.engine.lane import Lane
from inference.worker.engine.looking import Looking
from inference.worker.engine.prefill_budget import PrefillBudget
from inference.worker.engine.prompt_scoring import PromptScoring
from inference.worker.engine.running_sequence import RunningSequence
from inference.worker.engine.segments import segments_of
from inference.worker.engine.sequence import Output, Prefilled, Sampled, Scored, Sequence
from inference.worker.engine.sequential_lane import SequentialLane
from inference.worker.engine.shared_lane import SharedLane
from inference.worker.model.batch_support import BatchSupport
from inference.worker.prefix_cache.cache import CachedPrefix, PrefixCache
from inference.worker.prefix_cache.layers import Cache, needs_checkpoints
from inference.worker.speculation.draft_model import DraftModel
from inference.worker.vision.rows import PictureRow
from inference.worker.vision.seen import VisionFamily


class Batch:
    """All sequences of one model. Made, used and dropped on one thread.

    They are rows of one batch if the model computes in a batch what it computes alone (`support`). Otherwise
    they are computed one at a time. So is a seeded sequence with `has_exact_seeds`, without a cached prefix:
    matrix products round differently for different batch shapes, which can tip a near tie.

    `max_batch` is in rows, `prefill_step` in tokens.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        max_batch: int,
        prefill_step: int,
        prefix_cache: PrefixCache | None = None,
        has_exact_seeds: bool = False,
        support: BatchSupport | None = None,
        speculates: bool = False,
        draft_model: DraftModel | None = None,
        vision: VisionFamily | None = None,
    ) -> None:
        self._model = model
        self.prefill_budget = PrefillBudget(prefill_step)
        self._support = support or BatchSupport()
        self._prefix_cache = prefix_cache or PrefixCache(0)
        self._has_exact_seeds = has_exact_seeds
        # Caches that cannot be trimmed are stored where messages end: later prompts share up to there.
        self._needs_checkpoints = needs_checkpoints(
            make_prompt_cache(model), can_trim=self._support.can_trim_prefixes
        )
        self._sequential = SequentialLane(model)
        self._main: Lane = self._sequential
        if self._support.can_batch:
            self._main = SharedLane(model, width=max_batch, speculates=speculates, draft_model=draft_model)
        self._running: dict[int, RunningSequence] = {}
        self._before: list[PromptScoring | Looking] = []  # in turn, what is done before a prefill
        self._vision = vision
        self._round = 0

    @property
    def is_busy(self) -> bool:
        return bool(self._running or self._before)

    @property
    def ids(self) -> list[int]:
        running = [r.sequence.id for r in self._running.values()]
        copies = [copy.id for r in self._running.values() for copy in r.copies]
        return running + copies + [one.id for before in self._before for one in before.sequences]

    @property
    def kv_bytes(self) -> int:
        """Bytes of the KV caches of the running sequences."""
        return sum(before.bytes for before in self._before) + sum(lane.nbytes for lane in self._lanes)

    @property
    def unfinished(self) -> list[Sequence]:
        """The running sequences, as another batch would have to add them to continue."""
        running = [one for r in self._running.values() for one in (r.continuation, *r.copies)]
        return running + [sequence for before in self._before for sequence in before.sequences]

    def add(self, first: Sequence, *copies: Sequence) -> None:
        """Add sequences of one prompt.

        1. The longest stored prefix of the prompt is looked up; only the rest is computed.
        2. The pictures of the rest are looked at, if there are any: one in each step.
        3. One that scores its prompt is prefilled by PromptScoring.
        4. The first sequence is prefilled, and its copies begin with copies of its caches. If there is
           nothing left to share, the copies are added one by one.
        """
        is_whole = first.scores_prompt or self._is_exact(first)
        spans = first.pictures.spans if first.pictures else ()
        keys = [] if is_whole else first.keyed(first.known)
        found = None if is_whole else self._prefix_cache.lookup(first.owner, keys, spans)
        looking = Looking((first, *copies), found, self._vision, self._prefix_cache.features)
        if looking.is_done:
            self._begin(looking)
        else:
            self._before.append(looking)

    def _begin(self, looking: Looking) -> None:
        """Steps 3 and 4 for sequences whose pictures were looked at."""
        (first, *copies), found = looking.sequences, looking.found
        if first.scores_prompt:
            self._before.append(PromptScoring(self._model, looking.sequences, looking.row))
            return
        known = found.length if found else 0
        is_shared = not self._is_exact(first) and known < len(first.known) - 1
        self._insert(first, found, copies=tuple(copies) if is_shared else (), pictures=looking.row)
        for copy in () if is_shared else copies:
            self.add(copy)

    def _is_exact(self, sequence: Sequence) -> bool:
        return self._has_exact_seeds and sequence.sampling.seed is not None

    def _insert(
        self,
        sequence: Sequence,
        found: CachedPrefix | None,
        *,
        copies: tuple[Sequence, ...] = (),
        pictures: PictureRow | None = None,
    ) -> None:
        is_exact = self._is_exact(sequence)
        lane = self._sequential if is_exact else self._main
        tokens = sequence.known
        known = found.length if found else 0
        has_checkpoints, has_copies = self._needs_checkpoints, bool(copies)
        parts, stops = segments_of(sequence, known, has_checkpoints=has_checkpoints, has_copies=has_copies)
        uid = lane.insert(sequence, parts, found.cache if found else None, tokens[:known], pictures)
        self._running[sequence.id] = RunningSequence(
            sequence,
            lane,
            uid,
            known,
            len(tokens) - known,
            is_exact,
            copies,
            pictures=pictures,
            loan=found.loan if found else None,
            stops=stops,
        )

    def remove(self, sequence_id: int) -> None:
        """Drop a sequence and store its caches as a prefix; unknown ids have ended already."""
        running = self._running.get(sequence_id)
        if running is None:
            self._remove_copy(sequence_id)
            return
        cache, tokens = running.lane.remove(running.uid)
        del self._running[sequence_id]
        try:
            running.loan = None
            self._store_prefix(running, tokens, cache)
        finally:
            if running.copies:
                self.add(*running.copies)

    def end_thinking(self, sequence_id: int) -> bool:
        """Have the reasoning of an answer end after the token that is being sampled.

        False for one that is not in its reasoning, and for one whose prompt is still being computed.
        """
        running = self._running.get(sequence_id)
        sampler = running.lane.sampler_of(running.uid) if running and running.is_decoding else None
        if not (running and sampler and running.sequence.thinking):
            return False
        known = (*running.sequence.answered, *running.tokens)
        thinking = running.sequence.thinking.ending_at(len(known) + 1)
        has_ended = sampler.end_thinking(thinking, known)
        if has_ended:  # also where it is computed again
            running.sequence = replace(running.sequence, thinking=thinking)
        return has_ended

    def _remove_copy(self, sequence_id: int) -> None:
        for running in self._running.values():
            running.copies = tuple(copy for copy in running.copies if copy.id != sequence_id)
        for before in self._before:
            before.sequences = tuple(one for one in before.sequences if one.id != sequence_id)
        self._before = [before for before in self._before if before.sequences]

    def step(self) -> Iterator[Output]:
        """Compute one token for every decoding sequence, and one chunk of prefill.

        1. Choose what may prefill in this step: the prompt that is scored or has pictures to look at, the
           shared lane and the sequential lane take turns, so that decoding sequences wait for one at most.
        2. Compute a chunk of the scored prompt or the features of a picture, if it is its turn.
        3. Step each lane, with a chunk of prefill for the one whose turn it is.
        """
        prefilling: list[PromptScoring | Looking | Lane] = [
            *self._before[:1],
            *(x for x in self._lanes if self._remaining_prefill(x)),
        ]
        current = prefilling[self._round % len(prefilling)] if prefilling else None
        self._round += 1
        if isinstance(current, PromptScoring):
            yield from self._score(current)
        if isinstance(current, Looking):
            self._look(current)
        for lane in self._lanes:
            yield from self._step(lane, may_prefill=lane is current)

    def _look(self, looking: Looking) -> None:
        looking.step()
        if looking.is_done:
            self._before.remove(looking)
            self._begin(looking)

    def _score(self, scoring: PromptScoring) -> Iterator[Output]:
        if not scoring.is_done:
            scoring.step()
        # Nothing of a scored prompt comes from the prefix cache, whatever its sequences begin with.
        yield Prefilled(scoring.sequences[0].id, len(scoring.logprobs), len(scoring.prompt))
        if not scoring.is_done:
            return
        self._before.remove(scoring)
        for sequence in scoring.sequences:
            yield Scored(sequence.id, scoring.prompt, tuple(scoring.logprobs))
            if sequence.max_tokens:
                known = len(scoring.logprobs)
                found = CachedPrefix(known, scoring.cache) if known else None
                self._insert(replace(sequence, scores_prompt=False), found, pictures=scoring.pictures)

    def _step(self, lane: Lane, *, may_prefill: bool) -> Iterator[Output]:
        in_lane = {running.uid: running for running in self._running.values() if running.lane is lane}
        chunk, together, before = 0, 1, 0
        if may_prefill:
            decoding = [running for running in self._running.values() if running.is_decoding]
            before = self._remaining_prefill(lane)
            remaining = [running.remaining for running in in_lane.values() if running.remaining]
            chunk, together = self.prefill_budget.allot(
                remaining[: self._max_prompts_per_chunk],
                is_decoding=bool(decoding),
                has_just_begun=all(running.has_just_begun for running in decoding),
            )
            chunk = max([chunk, *(running.picture_ahead for running in in_lane.values())])
        started = time.perf_counter()
        prefills, decodes = lane.step(chunk=chunk, together=together)
        for prefill in prefills:
            yield self._on_prefilled(in_lane[prefill.uid], prefill)
        if may_prefill:
            self.prefill_budget.record(before - self._remaining_prefill(lane), time.perf_counter() - started)
        for token in decodes:
            yield self._on_sampled(in_lane[token.uid], token)
            if token.finish_reason:  # reported before its caches are stored, which may fail
                in_lane[token.uid].loan = None
                self._store_prefix(in_lane[token.uid], token.all_tokens, token.prompt_cache)

    @property
    def _max_prompts_per_chunk(self) -> int | None:
        """How many prompts may share a chunk; None for any number."""
        return None if self._support.can_prefill_together else 1

    def _remaining_prefill(self, lane: Lane) -> int:
        """Prompt tokens that a lane still has to compute."""
        return sum(running.remaining for running in self._running.values() if running.lane is lane)

    def _on_prefilled(self, running: RunningSequence, response: Any) -> Prefilled:
        done, total = response.progress
        running.note_prefill(done, total, is_end=response.end_of_prompt)
        if running.is_at_stop:
            self._on_stop(running)
        return Prefilled(running.sequence.id, done + running.cached, total + running.cached, running.cached)

    def _on_stop(self, running: RunningSequence) -> None:
        """Store the caches at a checkpoint of the prompt, or give them to its copies at the prompt's end."""
        cache, tokens = running.lane.extract(running.uid)
        if running.remaining > 1:
            self._store_prefix(running, tokens, cache)
            return
        for copy in running.copies:
            self._insert(copy, CachedPrefix(len(tokens), cache), pictures=running.pictures)
        running.copies = ()

    def _on_sampled(self, running: RunningSequence, response: Any) -> Sampled:
        running.tokens.append(response.token)
        if response.finish_reason:
            del self._running[running.sequence.id]
        logprob = response.logprobs.read() if response.logprobs else None
        draft = getattr(response, "draft", None)
        return Sampled(running.sequence.id, response.token, response.finish_reason, logprob, draft)

    def _store_prefix(self, running: RunningSequence, tokens: list[int], cache: Cache) -> None:
        if not running.is_exact:
            keys = running.sequence.keyed(tokens)
            self._prefix_cache.store(running.sequence.owner, keys, cache)

    @property
    def _lanes(self) -> list[Lane]:
        """The lanes that have sequences."""
        lanes = [self._main] if self._main is self._sequential else [self._main, self._sequential]
        return [lane for lane in lanes if any(running.lane is lane for running in self._running.values())]

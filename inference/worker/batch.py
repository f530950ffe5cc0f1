"""The running batch: mlx-lm's BatchGenerator behind the few verbs the engine needs."""

from dataclasses import dataclass
from functools import lru_cache

import mlx.core as mx
import mlx.nn as nn
from mlx_lm import generate as mlx_generate
from mlx_lm.generate import BatchGenerator, StopSequences

from inference.types import FinishReason, Sampling
from inference.worker.sampling import sampler_for

# BatchGenerator wires the whole recommended working set in its constructor. On macOS that ends in
# kernel panics under load (https://github.com/ml-explore/mlx/issues/3186), so wiring is the operator's
# setting (loading.py) and mlx-lm never does it.
mlx_generate.maybe_set_recommended_wired_limit = lambda: None


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """One prompt to be continued, already checked against the loaded model."""

    id: int
    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    stop_ids: frozenset[int]


@dataclass(frozen=True)
class Sampled:
    """One new token; with a finish reason when it was the sequence's last."""

    id: int
    token: int
    finish: FinishReason | None


@dataclass(frozen=True)
class Prefilled:
    """How much of a prompt is in the KV cache."""

    id: int
    done: int
    total: int


Output = Sampled | Prefilled


class Batch:
    """All sequences of one model, stepped together. Made, used and dropped on one thread."""

    def __init__(self, model: nn.Module, *, max_batch: int, prefill_step: int) -> None:
        self._generator = BatchGenerator(
            model,
            completion_batch_size=max_batch,
            prefill_batch_size=min(8, max_batch),
            prefill_step_size=prefill_step,
            stream=mx.new_thread_local_stream(mx.default_device()),
        )
        self._ids: dict[int, int] = {}  # the generator's uid -> our id

    @property
    def is_busy(self) -> bool:
        return bool(self._ids)

    @property
    def ids(self) -> list[int]:
        return list(self._ids.values())

    def add(self, sequence: Sequence) -> None:
        (uid,) = self._generator.insert(
            [list(sequence.prompt)],
            max_tokens=[sequence.max_tokens],
            samplers=[sampler_for(sequence.sampling)],
            stop_sequences=[_stops(sequence.stop_ids)],
        )
        self._ids[uid] = sequence.id

    def remove(self, sequence_id: int) -> None:
        """Drop a sequence wherever it is; unknown ids have ended already."""
        uids = [uid for uid, known in self._ids.items() if known == sequence_id]
        if uids:
            self._generator.remove(uids)
            del self._ids[uids[0]]

    def step(self) -> list[Output]:
        """One token for every decoding sequence, and at most one chunk of prefill for the others."""
        prefills, decodes = self._generator.next()
        outputs: list[Output] = [Prefilled(self._ids[p.uid], *p.progress) for p in prefills]
        for decode in decodes:
            outputs.append(Sampled(self._ids[decode.uid], decode.token, decode.finish_reason))
            if decode.finish_reason:
                del self._ids[decode.uid]
        return outputs


@lru_cache(maxsize=64)
def _stops(stop_ids: frozenset[int]) -> StopSequences:
    """The automaton that ends a sequence at any of these tokens, inside the generation loop."""
    return StopSequences([[token] for token in sorted(stop_ids)])

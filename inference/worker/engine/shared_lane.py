"""Sequences computed together: mlx-lm's BatchGenerator, with a decode step of our own.

Each step computes one token for every sequence that decodes, and one chunk of prefill:

- Prefill: the prompts that share a chunk are right-padded to (b, C) int32 token ids, b prompts of C tokens.
- Decode: the latest tokens, (B, 1) int32, become logits, (B, V), and the sampler's next tokens, (B,).
- KV caches have the shape (B, heads, T, head size) in each layer, left-padded to the longest row.

The rows of the batch change between steps:

- Extend: a prefilled prompt's caches, (1, heads, t, size), are padded to T and appended as a new row.
- Filter: rows that have ended are removed, and T shrinks to the longest row that is left.
- Extract: one row's caches without their padding, (1, heads, t, size), for the prefix cache or for copies.
- Merge: cached caches of unequal length are padded to one T for prompts that begin together.

mlx-lm's BatchGenerator and BatchKVCache do this.
"""

from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import mlx.nn as nn
from mlx_lm.generate import BatchGenerator, StopSequences

from inference.worker.engine.prefill_batch import Prefill
from inference.worker.engine.prefill_budget import PrefillBudget
from inference.worker.engine.sequence import Sequence
from inference.worker.engine.speculative_decode import MOST_FED, SpeculativeDecode
from inference.worker.model import mlx_lm_patches
from inference.worker.prefix_cache.layers import Cache
from inference.worker.sampling.token_sampler import TokenSampler
from inference.worker.sharding.group import lane_stream
from inference.worker.speculation.draft_model import DraftModel
from inference.worker.speculation.drafter import Drafter
from inference.worker.speculation.speculation import Speculation
from inference.worker.vision.rows import PictureRow


class SharedLane:
    """All of its sequences are rows of one batch. Used on the engine's thread only."""

    def __init__(
        self,
        model: nn.Module,
        *,
        width: int,
        speculates: bool = False,
        draft_model: DraftModel | None = None,
    ) -> None:
        mlx_lm_patches.install_decode_step(SpeculativeDecode)
        mlx_lm_patches.install_prefill(Prefill)
        self._speculation = Speculation(draft_model) if speculates else None
        self._width = width
        self._generator = BatchGenerator(
            model,
            completion_batch_size=width,
            prefill_batch_size=1,
            stream=lane_stream(),
        )
        self._generator._generation_batch.speculation = self._speculation
        self._generator._generation_batch.draft_budget = PrefillBudget(MOST_FED)
        self._samplers: WeakValueDictionary[int, TokenSampler] = WeakValueDictionary()  # the generator's

    @property
    def nbytes(self) -> int:
        """Bytes of the caches of its sequences."""
        drafting = self._speculation.draft_model if self._speculation else None
        return int(self._generator.prompt_cache_nbytes) + (drafting.nbytes if drafting else 0)

    def insert(
        self,
        sequence: Sequence,
        segments: list[list[int]],
        cache: Cache | None,
        known: list[int],
        pictures: PictureRow | None = None,
    ) -> int:
        """Queue a sequence whose first `known` tokens are in `cache`, which is copied; returns its uid."""
        sampler = sampler_for(sequence, pictures)
        (uid,) = self._generator.insert_segments(
            [segments],
            max_tokens=[sequence.max_tokens],
            caches=[cache] if cache else None,
            all_tokens=[known],
            samplers=[sampler],
            stop_sequences=[stop_sequences_for(sequence.stop_ids)],
        )
        self._samplers[int(uid)] = sampler
        has_blind_drafts = self._speculation and self._speculation.draft_model and sequence.pictures
        if self._speculation and sequence.speculates and not has_blind_drafts:
            self._speculation.drafters[int(uid)] = Drafter(
                sequence.prompt,
                sequence.prediction,
                self._speculation.acceptance,
                sequence.tokens_left,
                sequence.answered,
            )
        return int(uid)

    def step(self, *, chunk: int, together: int) -> tuple[list[Any], list[Any]]:
        """One token for each decoding row, and `chunk` tokens of each of `together` prompts, 0 for none.

        Returns mlx-lm's responses: those of prompts that were prefilled further, and those of tokens.
        """
        # mlx-lm prefills nothing while it decodes as many sequences as this.
        self._generator.completion_batch_size = self._width if chunk else 0
        self._generator.prefill_step_size, self._generator.prefill_batch_size = chunk, together
        if self._speculation:
            self._speculation.is_prefilling = chunk > 0
        prefills, decodes = self._generator.next()
        if prefills and self._speculation:
            self._speculation.is_interrupted = True
        return list(prefills), list(decodes)

    def sampler_of(self, uid: int) -> TokenSampler | None:
        """The sampler of a sequence."""
        return self._samplers.get(uid)

    def extract(self, uid: int) -> tuple[Cache, list[int]]:
        """A copy of a sequence's caches, and the tokens that are in them."""
        cache, tokens = self._generator.extract_cache([uid])[uid]
        return cache, tokens

    def remove(self, uid: int) -> tuple[Cache, list[int]]:
        """Drop a sequence; returns its caches and the tokens that are in them."""
        cache, tokens = self._generator.remove([uid], return_prompt_caches=True)[uid]
        if self._speculation:
            self._speculation.forget(uid)
        return cache, tokens


def sampler_for(sequence: Sequence, pictures: PictureRow | None = None) -> TokenSampler:
    """The sampler of one sequence, advanced past the tokens that it has already."""
    return TokenSampler(
        sequence.sampling,
        prompt=sequence.prompt,
        answered=sequence.answered,
        logprobs=sequence.logprobs,
        grammar=sequence.grammar,
        rules=sequence.rules,
        thinking=sequence.thinking,
        decode=sequence.decode,
        lora=sequence.lora,
        pictures=pictures,
    )


@lru_cache(maxsize=64)
def stop_sequences_for(stop_ids: frozenset[int]) -> StopSequences:
    """The automaton that ends a sequence at any of these tokens, inside the generation loop."""
    return StopSequences([[token] for token in sorted(stop_ids)])

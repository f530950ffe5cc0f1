"""The embedding models and rerankers, behind one protocol: a chunk of token ids in, hidden states out."""

from typing import Any, Protocol

import mlx.core as mx
from mlx_lm.models import qwen3
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.model.bert import Bert


class Encoder(Protocol):
    """An embedding model; token ids are below `vocab_size`."""

    @property
    def vocab_size(self) -> int: ...

    @property
    def can_chunk(self) -> bool:
        """Whether long rows can be computed in chunks, each continuing from the cache."""
        ...

    def new_cache(self) -> list[Any]: ...

    def encode(
        self, tokens: mx.array, lengths: mx.array, cache: list[Any], segments: mx.array | None = None
    ) -> mx.array:
        """Hidden states (R, C, size) of right-padded token ids (R, C) int32; lengths are (R,) int32.

        `segments` (R, C) int32 says which of two texts each token of a pair is in.
        """
        ...

    def head(self, pooled: mx.array) -> mx.array:
        """The output for pooled states (R, size): the states themselves, or a reranker's scores (R, 1)."""
        ...


class BertEncoder(Bert):
    """Bidirectional attention: a row is computed at once."""

    can_chunk = False

    @property
    def vocab_size(self) -> int:
        return int(self.embeddings.word_embeddings.weight.shape[0])

    def new_cache(self) -> list[Any]:
        return []

    def encode(
        self, tokens: mx.array, lengths: mx.array, cache: list[Any], segments: mx.array | None = None
    ) -> mx.array:
        return self(tokens, lengths, segments)

    def head(self, pooled: mx.array) -> mx.array:
        return pooled


class Qwen3Encoder(qwen3.Model):  # type: ignore[misc]  # mlx-lm is untyped
    """Causal attention: no token sees the padding at its right."""

    can_chunk = True

    @property
    def vocab_size(self) -> int:
        return int(self.args.vocab_size)

    def new_cache(self) -> list[Any]:
        return list(make_prompt_cache(self))

    def encode(
        self, tokens: mx.array, lengths: mx.array, cache: list[Any], segments: mx.array | None = None
    ) -> mx.array:
        hidden: mx.array = self.model(tokens, cache)
        return hidden

    def head(self, pooled: mx.array) -> mx.array:
        return pooled

    def sanitize(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The weights without the head; the publisher's files leave out the prefix `model.`."""
        named = {name if name.startswith("model.") else f"model.{name}": a for name, a in weights.items()}
        return {name: array for name, array in named.items() if not name.startswith("model.lm_head.")}

"""The models that make embeddings, behind one face: a chunk of token ids in, hidden states out."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import qwen3
from mlx_lm.models.cache import make_prompt_cache

from inference.worker.model.bert import Bert, BertArgs


class Encoder(Protocol):
    """What a piece of inputs is computed with; its vocabulary ends at `vocab_size`."""

    @property
    def vocab_size(self) -> int: ...

    @property
    def can_chunk(self) -> bool:
        """Whether long rows can be computed in chunks, each after those in its cache."""
        ...

    def new_cache(self) -> list[Any]: ...

    def encode(self, tokens: mx.array, lengths: mx.array, cache: list[Any]) -> mx.array:
        """Hidden states (rows, length, size) of token ids (rows, length), padded at their right."""
        ...


class BertEncoder(Bert):
    """Looks both ways, so a row is computed at once."""

    can_chunk = False

    @property
    def vocab_size(self) -> int:
        return int(self.embeddings.word_embeddings.weight.shape[0])

    def new_cache(self) -> list[Any]:
        return []

    def encode(self, tokens: mx.array, lengths: mx.array, cache: list[Any]) -> mx.array:
        return self(tokens, lengths)


class Qwen3Encoder(qwen3.Model):  # type: ignore[misc]  # mlx-lm is untyped
    """Looks back only, so padding at the right is seen by nothing before it."""

    can_chunk = True

    @property
    def vocab_size(self) -> int:
        return int(self.args.vocab_size)

    def new_cache(self) -> list[Any]:
        return list(make_prompt_cache(self))

    def encode(self, tokens: mx.array, lengths: mx.array, cache: list[Any]) -> mx.array:
        hidden: mx.array = self.model(tokens, cache)
        return hidden

    def sanitize(self, weights: dict[str, Any]) -> dict[str, Any]:
        """Without the head; the makers' own files leave the prefix `model.` out."""
        named = {name if name.startswith("model.") else f"model.{name}": a for name, a in weights.items()}
        return {name: array for name, array in named.items() if not name.startswith("model.lm_head.")}


_CLASSES: Mapping[str, tuple[type[nn.Module], Any]] = {
    "bert": (BertEncoder, BertArgs),
    "qwen3": (Qwen3Encoder, qwen3.ModelArgs),
}


def load_options() -> dict[str, Any]:
    """What mlx-lm's load_model needs to make an encoder of a folder."""
    choose: Callable[..., Any] = lambda config: _CLASSES[config["model_type"]]  # noqa: E731
    return {"get_model_classes": choose, "model_config": {"tie_word_embeddings": True}}

"""The encoders of BERT (https://arxiv.org/abs/1810.04805) and RoBERTa; weights have Hugging Face's names."""

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.base import BaseModelArgs

_ACTIVATIONS = {
    "gelu": nn.gelu,
    "gelu_new": nn.gelu_approx,
    "gelu_pytorch_tanh": nn.gelu_approx,
    "relu": nn.relu,
}


@dataclass
class BertArgs(BaseModelArgs):  # type: ignore[misc]  # mlx-lm is untyped
    """The fields of config.json. Raises ValueError for variants that are not implemented."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_act: str = "gelu"
    position_embedding_type: str = "absolute"
    is_decoder: bool = False
    first_position: int = 0

    def __post_init__(self) -> None:
        is_unknown = self.position_embedding_type != "absolute" or self.is_decoder
        if is_unknown or self.hidden_act not in _ACTIVATIONS:
            raise ValueError("this variant of BERT is not supported")


class BertEmbeddings(nn.Module):  # type: ignore[misc]
    """Token, position and segment embeddings; a text without segments is in the first of BERT's two."""

    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(args.vocab_size, args.hidden_size)
        self.position_embeddings = nn.Embedding(args.max_position_embeddings, args.hidden_size)
        self.token_type_embeddings = nn.Embedding(args.type_vocab_size, args.hidden_size)
        self.LayerNorm = nn.LayerNorm(args.hidden_size, eps=args.layer_norm_eps)
        self._first = args.first_position

    def __call__(self, tokens: mx.array, segments: mx.array | None = None) -> mx.array:
        positions = self.position_embeddings(mx.arange(tokens.shape[1]) + self._first)
        segment = self.token_type_embeddings(mx.array(0) if segments is None else segments)
        made: mx.array = self.LayerNorm(self.word_embeddings(tokens) + positions + segment)
        return made


class SelfAttention(nn.Module):  # type: ignore[misc]
    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self._heads = args.num_attention_heads
        self.query = nn.Linear(args.hidden_size, args.hidden_size)
        self.key = nn.Linear(args.hidden_size, args.hidden_size)
        self.value = nn.Linear(args.hidden_size, args.hidden_size)

    def __call__(self, hidden: mx.array, mask: mx.array) -> mx.array:
        rows, length, size = hidden.shape
        queries, keys, values = (
            layer(hidden).reshape(rows, length, self._heads, -1).swapaxes(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        scale = (size // self._heads) ** -0.5
        seen = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=scale, mask=mask)
        return seen.swapaxes(1, 2).reshape(rows, length, size)


class Output(nn.Module):  # type: ignore[misc]
    """A projection to the hidden size with a residual connection and a layer norm."""

    def __init__(self, args: BertArgs, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, args.hidden_size)
        self.LayerNorm = nn.LayerNorm(args.hidden_size, eps=args.layer_norm_eps)

    def __call__(self, made: mx.array, before: mx.array) -> mx.array:
        added: mx.array = self.LayerNorm(self.dense(made) + before)
        return added


class Attention(nn.Module):  # type: ignore[misc]
    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.self = SelfAttention(args)
        self.output = Output(args, args.hidden_size)

    def __call__(self, hidden: mx.array, mask: mx.array) -> mx.array:
        added: mx.array = self.output(self.self(hidden, mask), hidden)
        return added


class Intermediate(nn.Module):  # type: ignore[misc]
    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.dense = nn.Linear(args.hidden_size, args.intermediate_size)
        self._activation = _ACTIVATIONS[args.hidden_act]

    def __call__(self, hidden: mx.array) -> mx.array:
        made: mx.array = self._activation(self.dense(hidden))
        return made


class Layer(nn.Module):  # type: ignore[misc]
    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.attention = Attention(args)
        self.intermediate = Intermediate(args)
        self.output = Output(args, args.intermediate_size)

    def __call__(self, hidden: mx.array, mask: mx.array) -> mx.array:
        seen = self.attention(hidden, mask)
        made: mx.array = self.output(self.intermediate(seen), seen)
        return made


class Layers(nn.Module):  # type: ignore[misc]
    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.layer = [Layer(args) for _ in range(args.num_hidden_layers)]

    def __call__(self, hidden: mx.array, mask: mx.array) -> mx.array:
        for layer in self.layer:
            hidden = layer(hidden, mask)
        return hidden


class Bert(nn.Module):  # type: ignore[misc]
    """Token ids (R, L) int32 and lengths (R,) in, hidden states (R, L, size) out."""

    parts: tuple[str, ...] = (
        "embeddings.",
        "encoder.",
    )  # the weights that are used; others are for other tasks

    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(args)
        self.encoder = Layers(args)

    def __call__(self, tokens: mx.array, lengths: mx.array, segments: mx.array | None = None) -> mx.array:
        is_text = mx.arange(tokens.shape[1])[None] < lengths[:, None]  # no token attends to padding
        hidden: mx.array = self.encoder(self.embeddings(tokens, segments), is_text[:, None, None])
        return hidden

    def sanitize(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The encoder's weights by their newer names, without the heads of other tasks."""
        named = {_newer(name): array for name, array in weights.items()}
        return {
            name: array
            for name, array in named.items()
            if name.startswith(self.parts) and not name.endswith(".position_ids")
        }


def _newer(name: str) -> str:
    name = name.removeprefix("bert.").removeprefix("roberta.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")

"""The models that score a document for a query: encoders with a head of their own."""

from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from inference.repository.files import reranking
from inference.worker.model.bert import BertArgs
from inference.worker.model.encoders import BertEncoder, Qwen3Encoder


class Pooler(nn.Module):  # type: ignore[misc]  # untyped in mlx
    """A layer over the first token's state."""

    def __init__(self, args: BertArgs) -> None:
        super().__init__()
        self.dense = nn.Linear(args.hidden_size, args.hidden_size)

    def __call__(self, pooled: mx.array) -> mx.array:
        return mx.tanh(self.dense(pooled))


class BertReranker(BertEncoder):
    """BertForSequenceClassification with one label."""

    parts = ("embeddings.", "encoder.", "pooler.", "classifier.")

    def __init__(self, args: BertArgs) -> None:
        super().__init__(args)
        self.pooler = Pooler(args)
        self.classifier = nn.Linear(args.hidden_size, 1)

    def head(self, pooled: mx.array) -> mx.array:
        return mx.sigmoid(self.classifier(self.pooler(pooled)))


@dataclass
class RobertaArgs(BertArgs):
    """What config.json says of a RoBERTa, whose positions begin after its padding's."""

    layer_norm_eps: float = 1e-5
    type_vocab_size: int = 1
    pad_token_id: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.first_position = reranking.first_position({"pad_token_id": self.pad_token_id})


class Classifier(Pooler):
    """RoBERTa's head: the pooler is a part of it."""

    def __init__(self, args: BertArgs) -> None:
        super().__init__(args)
        self.out_proj = nn.Linear(args.hidden_size, 1)

    def __call__(self, pooled: mx.array) -> mx.array:
        scored: mx.array = self.out_proj(super().__call__(pooled))
        return scored


class RobertaReranker(BertEncoder):
    """RobertaForSequenceClassification and XLMRobertaForSequenceClassification with one label."""

    parts = ("embeddings.", "encoder.", "classifier.")

    def __init__(self, args: RobertaArgs) -> None:
        super().__init__(args)
        self.classifier = Classifier(args)

    def encode(
        self, tokens: mx.array, lengths: mx.array, cache: list[Any], segments: mx.array | None = None
    ) -> mx.array:
        return self(tokens, lengths)  # it has one segment

    def head(self, pooled: mx.array) -> mx.array:
        return mx.sigmoid(self.classifier(pooled))


class Qwen3Reranker(Qwen3Encoder):
    """A language model whose last state says "yes" or "no"."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.set_answers(0, 0)

    def set_answers(self, no: int, yes: int) -> None:
        """Which token ids the answers are."""
        self._no, self._yes = no, yes

    def head(self, pooled: mx.array) -> mx.array:
        """The share of "yes" of the two: a softmax over two logits is the sigmoid of their difference."""
        ids = mx.array([self._no, self._yes])
        if self.args.tie_word_embeddings:
            rows = self.model.embed_tokens(ids).astype(pooled.dtype)
            logits = pooled @ rows.T
        else:
            logits = self.lm_head(pooled)[:, ids]
        return mx.sigmoid(logits[:, 1:] - logits[:, :1])

    def sanitize(self, weights: dict[str, Any]) -> dict[str, Any]:
        """With the head, unless it is the embedding's."""
        is_tied = self.args.tie_word_embeddings
        return {name: a for name, a in weights.items() if not (is_tied and name.startswith("lm_head."))}

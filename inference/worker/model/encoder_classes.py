"""Which class computes the vectors or scores of which family of models."""

from collections.abc import Callable, Mapping
from typing import Any

import mlx.nn as nn
from mlx_lm.models import qwen3

from inference.repository.files.pooling import Pooling
from inference.worker.model.bert import BertArgs
from inference.worker.model.encoders import BertEncoder, Qwen3Encoder
from inference.worker.model.rerankers import BertReranker, Qwen3Reranker, RobertaArgs, RobertaReranker

Classes = Mapping[str, tuple[type[nn.Module], Any]]
_EMBED: Classes = {"bert": (BertEncoder, BertArgs), "qwen3": (Qwen3Encoder, qwen3.ModelArgs)}
_RERANK: Classes = {
    "bert": (BertReranker, BertArgs),
    "roberta": (RobertaReranker, RobertaArgs),
    "xlm-roberta": (RobertaReranker, RobertaArgs),
    "qwen3": (Qwen3Reranker, qwen3.ModelArgs),
}


def load_options(pooling: Pooling) -> dict[str, Any]:
    """What mlx-lm's load_model needs to make an encoder, or a reranker, of a folder."""
    classes = _RERANK if pooling.reranks else _EMBED
    choose: Callable[..., Any] = lambda config: classes[config["model_type"]]  # noqa: E731
    if pooling.reranks:
        return {"get_model_classes": choose}
    return {"get_model_classes": choose, "model_config": {"tie_word_embeddings": True}}

"""Which models score a document for a query, and how each is asked.

A cross-encoder reads both together and has one label, its score (https://arxiv.org/abs/1910.14424): BERT's
classification models, and those of RoBERTa and XLM-RoBERTa. Qwen3-Reranker is a language model that is asked
for "yes" or "no" (https://arxiv.org/abs/2506.05176).
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

How = Literal["pair", "judge"]
FAMILIES: Final = frozenset({"bert", "roberta", "xlm-roberta"})  # of cross-encoders, by model_type
_CLASSIFIERS = frozenset(f"{name}ForSequenceClassification" for name in ("Bert", "Roberta", "XLMRoberta"))
_JUDGE = "qwen3-reranker"  # its folders say nothing that its chat models do not, but for the name
_DEFAULT_LABELS = 2  # of transformers, where a config says nothing
_DEFAULT_PADDING = 1  # RoBERTa's


class OddReranking(Exception):
    """The model classifies in a way this server cannot; the message is for its owner."""


def read(config: Mapping[str, Any], name: str) -> How | None:
    """How a reranker is asked, None for any other model; raises OddReranking."""
    family = str(config.get("model_type"))
    if family == "qwen3" and _JUDGE in name.rpartition("/")[2].lower():
        return "judge"
    architectures = config.get("architectures")
    named = next(iter(architectures), "") if isinstance(architectures, list) else ""
    if named not in _CLASSIFIERS or family not in FAMILIES:
        return None
    if (labels := _labels(config)) != 1:
        raise OddReranking(f"it sorts texts into {labels} classes; of classifiers only rerankers are served")
    return "pair"


def longest(config: Mapping[str, Any]) -> int | None:
    """The longest pair in tokens where that is less than the rows of its position table."""
    rows, family = config.get("max_position_embeddings"), config.get("model_type")
    if family not in FAMILIES - {"bert"} or type(rows) is not int:
        return None
    return max(1, rows - first_position(config))


def first_position(config: Mapping[str, Any]) -> int:
    """Where RoBERTa's positions begin: the rows up to the padding's are never used."""
    padding = config.get("pad_token_id")
    return 1 + (padding if type(padding) is int and padding >= 0 else _DEFAULT_PADDING)


def _labels(config: Mapping[str, Any]) -> int:
    for given in (config.get("id2label"), config.get("label2id")):
        if isinstance(given, Mapping):
            return len(given)
    given = config.get("num_labels")
    return given if type(given) is int else _DEFAULT_LABELS

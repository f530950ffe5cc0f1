"""Which folders hold rerankers, and how they are asked."""

from typing import Any

import pytest

from inference.repository.files import reranking
from inference.repository.files.reranking import OddReranking
from tests.each import each


def classifier(name: str, family: str, **fields: Any) -> dict[str, Any]:
    return {"architectures": [f"{name}ForSequenceClassification"], "model_type": family} | fields


@each(
    ("config", "name", "how"),
    [
        (classifier("Bert", "bert", id2label={"0": "LABEL_0"}), "ms-marco-MiniLM-L6-v2", "pair"),
        (classifier("XLMRoberta", "xlm-roberta", num_labels=1), "bge-reranker-v2-m3", "pair"),
        (classifier("Roberta", "roberta", label2id={"LABEL_0": 0}), "stsb", "pair"),
        ({"model_type": "qwen3"}, "mlx-community/Qwen3-Reranker-0.6B-4bit", "judge"),
        ({"model_type": "qwen3"}, "Qwen3-8B", None),
        ({"model_type": "bert", "architectures": ["BertModel"]}, "bge", None),
        ({"model_type": "bert", "architectures": "x"}, "bge", None),
        (classifier("Llama", "llama", num_labels=1), "guard", None),
    ],
)
def test_rerankers_are_known(config: dict[str, Any], name: str, how: str | None) -> None:
    assert reranking.read(config, name) == how


@each(("fields", "count"), [({}, 2), ({"num_labels": 5}, 5), ({"id2label": {}}, 0)])
def test_other_classifiers_are_odd(fields: dict[str, Any], count: int) -> None:
    with pytest.raises(OddReranking, match=f"{count} classes"):
        reranking.read(classifier("Bert", "bert", **fields), "x")


@each(
    ("fields", "longest"),
    [
        ({"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514}, 512),
        ({"model_type": "bert", "max_position_embeddings": 512}, None),
        ({"model_type": "roberta"}, None),
    ],
)
def test_the_rows_before_the_first_position_are_not_used(fields: dict[str, Any], longest: int | None) -> None:
    assert reranking.longest(fields) == longest

from typing import Any

import numpy as np
import pytest

from inference.worker.conversion.metadata import GgufMetadata
from tests.each import each

FACTS = GgufMetadata(
    "llama",
    {
        **{"llama.block_count": 2, "llama.eps": np.float32(1e-5).item(), "llama.name": "x"},
        **{"llama.heads": np.array([1, 2]), "tokenizer.ggml.tokens": ["a", "b"]},
    },
)


def test_keys_of_the_architecture_are_asked_for_without_its_name() -> None:
    assert FACTS.number("block_count") == 2 and FACTS.items("tokenizer.ggml.tokens") == ["a", "b"]
    assert FACTS.has("block_count") and not FACTS.has("tokenizer.block_count")


def test_a_number_is_the_one_that_was_meant() -> None:
    assert FACTS.real("eps") == 1e-5 and FACTS.real("block_count") == 2.0


def test_what_is_missing_is_the_default_or_an_error() -> None:
    assert (FACTS.number("x", 3), FACTS.real("x", 0.5), FACTS.text("x"), FACTS.items("x")) == (3, 0.5, "", [])
    with pytest.raises(ValueError, match="the file does not say its llama.x"):
        FACTS.number("x")


@each(
    ("kind", "key"),
    [("number", "name"), ("number", "heads"), ("real", "name"), ("text", "eps"), ("items", "name")],
)
def test_what_is_of_another_kind_is_refused_by_its_key(kind: str, key: str) -> None:
    ask: Any = getattr(FACTS, kind)
    with pytest.raises(ValueError, match=f"its llama.{key} is n"):
        ask(key)

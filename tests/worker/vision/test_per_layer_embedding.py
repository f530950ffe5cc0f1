"""The embedding for each layer takes pictures for padding, alone and with an adapter of the same layer."""

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.lora.layers import ChangedEmbedding, Factors
from inference.worker.lora.rows import lora_rows
from inference.worker.vision.per_layer_embedding import install
from inference.worker.vision.rows import picture_rows
from inference.worker.vision.seeing_embedding import NoEmbedding
from tests.worker.vision.test_seeing_embedding import IMAGE, row

pytestmark = pytest.mark.mlx


class Model(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens_per_layer = nn.Embedding(16, 6)


def test_tokens_of_pictures_are_those_of_padding() -> None:
    model = Model()
    install(model)
    weight = np.array(model.embed_tokens_per_layer.weight)
    prompt = [1, IMAGE, 2, IMAGE, 3]
    ids = mx.array([prompt, prompt])
    with picture_rows([row(prompt, 2, 100), None], [0, 0]):
        got = np.array(model.embed_tokens_per_layer(ids))
    assert np.array_equal(got[0], weight[[1, 0, 2, 0, 3]])
    assert np.array_equal(got[1], weight[prompt])  # a row without pictures has a token like any other
    assert np.array_equal(np.array(model.embed_tokens_per_layer(ids))[0], weight[prompt])


def test_an_adapter_changes_them_as_it_changes_padding() -> None:
    model = Model()
    install(model)
    changed = ChangedEmbedding(model.embed_tokens_per_layer)
    changed.put({"one": Factors(mx.arange(16)[:, None] * mx.ones((16, 2)), mx.ones((2, 6)))})
    prompt = [1, IMAGE, 2]
    with lora_rows(["one"]), picture_rows([row(prompt, 1, 100)], [0]):
        got = np.array(changed(mx.array([prompt])))[0]
    weight = np.array(model.embed_tokens_per_layer.weight)
    assert np.allclose(got, weight[[1, 0, 2]] + np.array([[2.0], [0.0], [4.0]]))


def test_a_model_without_the_layer_cannot_hide_them() -> None:
    with pytest.raises(NoEmbedding, match="embed_tokens_per_layer"):
        install(nn.Linear(2, 2))

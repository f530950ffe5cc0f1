"""The embedding of a model that sees, alone and with an adapter of the same layer."""

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.lora.layers import ChangedEmbedding, Factors
from inference.worker.lora.rows import lora_rows
from inference.worker.vision import seeing_embedding
from inference.worker.vision.places import place
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Seen, digest_of
from tests.worker.models import tiny

pytestmark = pytest.mark.mlx
IMAGE, SIZE = 9, 4


class Model(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(16, SIZE)


def row(prompt: list[int], tokens: int, value: float) -> PictureRow:
    one = Seen(np.zeros((1, 1, 1, 3), np.uint8), "", tokens, digest_of(b""))
    made = PictureRow(place(prompt, IMAGE, [one]))
    made.features[0] = value + mx.arange(tokens)[:, None] * mx.ones((1, SIZE))
    return made


def test_features_stand_where_their_tokens_are_in_each_row() -> None:
    model = Model()
    plain = model.embed_tokens
    seeing_embedding.install(model)
    assert isinstance(model.embed_tokens, nn.Embedding) and model.embed_tokens is plain
    first, second = [1, IMAGE, 2, IMAGE, 3], [IMAGE, IMAGE, IMAGE, 4, 5]
    ids = mx.array([first, second, [IMAGE, 1, 1, 1, 1]])
    before = np.array(plain.weight)
    rows = [row(first, 2, 100), row(second, 3, 200), None]
    with picture_rows(rows, [0, 0, 0]):
        got = np.array(model.embed_tokens(ids))
    assert got[0, :, 0].tolist() == [before[1, 0], 100, before[2, 0], 101, before[3, 0]]
    assert got[1, :3, 0].tolist() == [200, 201, 202]
    assert np.array_equal(got[2, 0], before[IMAGE])  # a row without pictures has a token like any other
    with picture_rows(rows[:2], [3, 1]):  # the rows begin at other places
        got = np.array(model.embed_tokens(mx.array([[IMAGE, 3], [IMAGE, IMAGE]])))
    assert got[:, :, 0].tolist() == [[101, before[3, 0]], [201, 202]]
    assert np.array_equal(np.array(model.embed_tokens(ids))[0], before[first])


def test_what_an_adapter_changes_are_not_the_pictures() -> None:
    model = Model()
    seeing_embedding.install(model)
    changed = ChangedEmbedding(model.embed_tokens)
    changed.put({"one": Factors(mx.ones((16, 2)), mx.ones((2, SIZE)))})
    prompt = [1, IMAGE, 2]
    with lora_rows(["one"]), picture_rows([row(prompt, 1, 100)], [0]):
        got = np.array(changed(mx.array([prompt])))[0]
    assert got[1].tolist() == [100] * SIZE
    assert np.allclose(got[0], np.array(model.embed_tokens.weight)[1] + 2)


def test_features_that_were_let_go_are_missed_and_not_left_out() -> None:
    model = Model()
    seeing_embedding.install(model)
    one = row([1, IMAGE, 2], 1, 100)
    one.features.clear()
    with picture_rows([one], [0]), pytest.raises(KeyError):
        model.embed_tokens(mx.array([[1, IMAGE, 2]]))


def test_a_model_without_the_layer_cannot_see(tmp_path: Path) -> None:
    with pytest.raises(seeing_embedding.NoEmbedding):
        seeing_embedding.install(nn.Linear(2, 2))
    seeing_embedding.install(tiny(tmp_path / "tiny"))

"""Features that are added behind the first layers."""

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

from inference.worker.vision import deepstack
from inference.worker.vision.places import place
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Seen, digest_of

pytestmark = pytest.mark.mlx
IMAGE, SIZE = 9, 4


class Layer(nn.Module):  # type: ignore[misc]
    def __call__(self, x: mx.array, mask: object = None, cache: object = None) -> mx.array:
        return 2 * x


class Model(nn.Module):  # type: ignore[misc]
    def __init__(self, layers: int = 3) -> None:
        super().__init__()
        self.layers = [Layer() for _ in range(layers)]


def test_each_layer_adds_its_own_level_where_the_pictures_are() -> None:
    model = Model()
    deepstack.install(model, 2)
    prompt = [1, IMAGE, IMAGE, 2]
    one = PictureRow(
        place(prompt, IMAGE, [Seen(np.zeros((1, 1, 1, 3), np.uint8), "", 2, digest_of(b""), (1, 2))])
    )
    levels = mx.array([[100.0], [200.0]]) + mx.repeat(mx.arange(3.0) * 10, SIZE)[None]  # (2, 3 x SIZE)
    one.features[0] = levels
    x = mx.ones((2, 3, SIZE))
    with picture_rows([None, one], [0, 1]):  # the second row begins at its first image token
        got = [np.array(layer(x, None, cache=None))[..., 0].tolist() for layer in model.layers]
    assert got[0] == [[2, 2, 2], [112, 212, 2]]
    assert got[1] == [[2, 2, 2], [122, 222, 2]]
    assert got[2] == [[2, 2, 2], [2, 2, 2]]
    assert all(np.array(layer(x) == 2).all() for layer in model.layers)
    assert isinstance(model.layers[0], Layer)


def test_a_model_with_fewer_layers_than_levels_is_refused() -> None:
    with pytest.raises(deepstack.NoLayers):
        deepstack.install(Model(1), 2)
    with pytest.raises(deepstack.NoLayers):
        deepstack.install(nn.Linear(2, 2), 1)

"""The weights of towers, by whatever name and in whatever layout a folder has them."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten
from safetensors.numpy import load_file, save_file

from inference.worker.vision.families.gemma3 import Gemma3Tower
from inference.worker.vision.families.gemma4 import Gemma4Tower
from inference.worker.vision.families.pixtral import PixtralTower
from inference.worker.vision.towers import MissingWeights, has_weights, put_weights
from tests.tiny_gemma import make_tiny_gemma3, make_tiny_gemma4
from tests.tiny_vision import NEEDS_MLX_VLM, make_tiny_pixtral

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]


def config_of(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return read


def tower_of(folder: Path, **changes: Any) -> nn.Module:
    config = config_of(folder) | changes
    tower = PixtralTower(config)
    put_weights(tower, folder, config)
    return tower


def parameters(tower: nn.Module) -> dict[str, Any]:
    return {name: np.array(array) for name, array in tree_flatten(tower.parameters())}


def rewrite(folder: Path, change: Any) -> None:
    weights = load_file(str(folder / "model.safetensors"))
    save_file(dict(change(weights)), str(folder / "model.safetensors"), metadata={"format": "pt"})


def hugging_face(weights: dict[str, Any]) -> Any:
    """The names and the layout of transformers."""
    for name, array in weights.items():
        name = name.replace("vision_tower.vision_model.", "vision_tower.")
        name = name if name.startswith("language_model") else f"model.{name}"
        yield name, array.transpose(0, 3, 1, 2).copy() if "patch_conv" in name else array


def test_names_and_layout_of_hugging_face_are_read(tmp_path: Path) -> None:
    ours, theirs = make_tiny_pixtral(tmp_path / "ours"), make_tiny_pixtral(tmp_path / "theirs")
    rewrite(theirs, hugging_face)
    one, other = parameters(tower_of(ours)), parameters(tower_of(theirs))
    assert one.keys() == other.keys()
    assert all(np.array_equal(array, other[name]) for name, array in one.items())


def mlx_community(weights: dict[str, Any]) -> Any:
    for name, array in weights.items():
        is_convolution = name.endswith("patch_embedding.weight")
        yield name.removeprefix("model."), array.transpose(0, 2, 3, 1).copy() if is_convolution else array


@pytest.mark.parametrize(("make", "kind"), [(make_tiny_gemma3, Gemma3Tower), (make_tiny_gemma4, Gemma4Tower)])
def test_gemma_is_read_as_google_and_as_mlx_community_name_it(make: Any, kind: Any, tmp_path: Path) -> None:
    folders = make(tmp_path / "google"), make(tmp_path / "community")
    rewrite(folders[1], mlx_community)
    towers = [kind(config_of(folder)) for folder in folders]
    for tower, folder in zip(towers, folders, strict=True):
        put_weights(tower, folder, config_of(folder))
    one, other = map(parameters, towers)
    assert one.keys() == other.keys()
    assert all(np.array_equal(array, other[name]) for name, array in one.items())


def test_quantised_layers_are_read(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    plain = parameters(tower_of(folder))
    name = "multi_modal_projector.linear_2"

    def quantised(weights: dict[str, Any]) -> Any:
        packed = mx.quantize(mx.array(weights.pop(f"{name}.weight")), group_size=32, bits=8)
        for part, array in zip(("weight", "scales", "biases"), packed, strict=True):
            yield f"{name}.{part}", np.array(array)
        yield from weights.items()

    rewrite(folder, quantised)
    tower = tower_of(folder, quantization={"group_size": 32, "bits": 8})
    assert isinstance(tower.multi_modal_projector.linear_2, nn.QuantizedLinear)
    x = mx.ones((1, 64))
    near = np.array(tower.multi_modal_projector.linear_2(x)) - plain[f"{name}.weight"].sum(axis=1)
    assert np.abs(near).max() < 0.1


def test_missing_weights_are_said(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    assert has_weights(folder)
    rewrite(folder, lambda weights: [one for one in weights.items() if "linear_1" not in one[0]])
    with pytest.raises(MissingWeights, match=r"1 of its vision weights are missing, .*linear_1"):
        tower_of(folder)
    rewrite(folder, lambda weights: [one for one in weights.items() if one[0].startswith("language")])
    assert not has_weights(folder)

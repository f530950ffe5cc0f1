"""What is read of an adapter, and what is refused because of the model that is loaded."""

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from inference.repository.files.lora import BrokenLora
from inference.worker.lora.weights import read, targets
from tests.loras import EMBEDDING, Q, layers, write_mlx, write_peft
from tests.worker.lora.adapted import lora_of
from tests.worker.models import tiny

pytestmark = pytest.mark.mlx
Q0 = "model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return tiny(tmp_path_factory.mktemp("models") / "tiny")


def rewritten(folder: Path, **tensors: Any) -> Path:
    (file,) = folder.glob("*.safetensors")
    save_file(load_file(str(file)) | tensors, str(file))
    return folder


def problem(model: nn.Module, folder: Path) -> str:
    with pytest.raises(BrokenLora) as raised:
        read(lora_of(folder), targets(model), is_cpu=True)
    return str(raised.value)


def test_the_scale_is_in_the_second_factor_and_ranks_are_padded(model: nn.Module, tmp_path: Path) -> None:
    folder = write_mlx(tmp_path / "a", layers(Q, numbers=[0]), rank=3, scale=2.0)
    weights = read(lora_of(folder), targets(model), is_cpu=True)
    found, stored = weights.factors[Q0], load_file(str(folder / "adapters.safetensors"))
    assert weights.key == "a@1"
    assert (found.a.shape, found.b.shape) == ((64, 8), (8, 64))
    assert np.allclose(np.array(found.b)[:3], 2 * stored[f"{Q0}.lora_b"])
    assert not np.array(found.b)[3:].any() and not np.array(found.a)[:, 3:].any()


def test_both_forms_give_the_same_factors(model: nn.Module, tmp_path: Path) -> None:
    ours = read(lora_of(write_mlx(tmp_path / "a", layers(Q), is_dora=True)), targets(model), is_cpu=True)
    peft = read(lora_of(write_peft(tmp_path / "b", layers(Q), is_dora=True)), targets(model), is_cpu=True)
    for path, factors in ours.factors.items():
        twins = zip(factors.arrays, peft.factors[path].arrays, strict=True)
        assert all(mx.allclose(one, other).item() for one, other in twins)


def test_a_gpu_keeps_the_type_of_the_file(model: nn.Module, tmp_path: Path) -> None:
    folder = write_mlx(tmp_path / "a", layers(Q))
    tensors = load_file(str(folder / "adapters.safetensors"))
    rewritten(folder, **{name: tensor.astype(np.float16) for name, tensor in tensors.items()})
    kept = read(lora_of(folder), targets(model), is_cpu=False).factors[Q0]
    converted = read(lora_of(folder), targets(model), is_cpu=True).factors[Q0]
    assert (kept.a.dtype, kept.b.dtype) == (mx.float16, mx.float16)
    assert (converted.a.dtype, converted.b.dtype) == (mx.float32, mx.float32)


def test_layers_that_the_model_does_not_have(model: nn.Module, tmp_path: Path) -> None:
    far = write_mlx(tmp_path / "far", {"model.layers.7.self_attn.q_proj": (64, 64)})
    assert "no layer model.layers.7.self_attn.q_proj" in problem(model, far)
    head = write_peft(tmp_path / "head", {"lm_head": (264, 64)})  # tied: the embedding is the head
    assert "no layer lm_head" in problem(model, head)
    norm = write_mlx(tmp_path / "norm", {"model.norm": (64, 64)})
    assert "no layer model.norm" in problem(model, norm)


def test_layers_of_another_size(model: nn.Module, tmp_path: Path) -> None:
    other = write_mlx(tmp_path / "other", {Q0: (96, 64)})
    assert f"its layer {Q0} is 96 x 64, the model's 64 x 64" in problem(model, other)
    turned = write_mlx(tmp_path / "turned", {EMBEDDING: (264, 64)})
    assert "is 64 x 264, the model's 264 x 64" in problem(model, turned)


def test_an_embedding_with_magnitudes_is_refused(model: nn.Module, tmp_path: Path) -> None:
    folder = write_mlx(tmp_path / "a", {EMBEDDING: (64, 264)}, is_dora=True)
    assert "changes the embedding" in problem(model, folder)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_numbers_that_are_not_finite(model: nn.Module, tmp_path: Path, number: float) -> None:
    folder = write_mlx(tmp_path / "a", layers(Q))
    broken = np.full((64, 4), number, np.float32)
    assert "not finite" in problem(model, rewritten(folder, **{f"{Q0}.lora_a": broken}))


class Multimodal(nn.Module):  # type: ignore[misc]  # MLX's Module is not typed
    """The model as the text part of another one."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.language_model = model


@pytest.mark.parametrize("prefix", ["model.language_model", "language_model.model", "model"])
def test_the_text_part_of_a_multimodal_model_is_found(model: nn.Module, tmp_path: Path, prefix: str) -> None:
    folder = write_peft(tmp_path / "a", {f"{prefix}.layers.0.self_attn.q_proj": (64, 64)})
    found = targets(Multimodal(model))
    assert list(read(lora_of(folder), found, is_cpu=True).factors) == [f"language_model.{Q0}"]


def test_another_part_of_a_multimodal_model_is_not_taken_for_its_text(
    model: nn.Module, tmp_path: Path
) -> None:
    folder = write_peft(tmp_path / "a", {"model.vision_tower.layers.0.self_attn.q_proj": (64, 64)})
    with pytest.raises(BrokenLora, match="no layer model.vision_tower"):
        read(lora_of(folder), targets(Multimodal(model)), is_cpu=True)


def test_quantised_layers_are_measured_by_what_they_stand_for(tmp_path: Path) -> None:
    model = tiny(tmp_path / "tiny")
    nn.quantize(model, group_size=32, bits=4)
    folder = write_mlx(tmp_path / "a", layers(Q), is_dora=True)
    assert set(read(lora_of(folder), targets(model), is_cpu=True).factors) == set(layers(Q))

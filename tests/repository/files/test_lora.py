"""Adapters in both forms, and those that are refused by name before anything is loaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from inference.repository.files import lora
from inference.repository.files.lora import BrokenLora
from tests.loras import DOWN, O, Q, layers, write_mlx, write_peft

Q0 = "model.layers.0.self_attn.q_proj"
UP0 = "model.layers.0.mlp.switch_mlp.up_proj"
EXPERTS = {UP0: (8, 128, 64)}


def change(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def rewrite(folder: Path, alter: Callable[[dict[str, Any]], object]) -> None:
    (file,) = folder.glob("*.safetensors")
    tensors: dict[str, Any] = load_file(str(file))
    alter(tensors)
    save_file(tensors, str(file))


def problem(folder: Path) -> str:
    with pytest.raises(BrokenLora) as raised:
        lora.read(folder)
    return str(raised.value)


def test_both_forms_describe_the_same_change(tmp_path: Path) -> None:
    ours = lora.read(write_mlx(tmp_path / "mlx", layers(Q, DOWN), rank=4, scale=2.5))
    peft = lora.read(write_peft(tmp_path / "peft", layers(Q, DOWN), rank=4, scale=2.5))

    def facts(files: lora.LoraFiles) -> list[tuple[Any, ...]]:
        return sorted((x.path, x.inputs, x.outputs, x.rank, x.scale, x.magnitude) for x in files.layers)

    assert facts(ours) == facts(peft)
    assert facts(ours)[0] == ("model.layers.0.mlp.down_proj", 128, 64, 4, 2.5, "")


def test_dora_has_magnitudes(tmp_path: Path) -> None:
    ours = lora.read(write_mlx(tmp_path / "mlx", layers(Q), is_dora=True))
    peft = lora.read(write_peft(tmp_path / "peft", layers(Q), is_dora=True))
    assert ours.layers[0].magnitude == f"{Q0}.m"
    assert peft.layers[0].magnitude == f"base_model.model.{Q0}.lora_magnitude_vector"


def test_rank_stabilised_lora_divides_by_the_root_of_the_rank(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "a", layers(Q), rank=16, scale=2.0, use_rslora=True)
    assert lora.read(folder).layers[0].scale == 2.0 * 16 / 4


def test_a_rank_pattern_gives_each_layer_its_own_scale(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "a", layers(Q), rank=4, scale=2.0)
    change(folder, r=8, lora_alpha=8, rank_pattern={"q_proj": 4})
    assert lora.read(folder).layers[0].scale == 2.0


def test_its_bytes_are_those_of_its_padded_factors(tmp_path: Path) -> None:
    files = lora.read(write_mlx(tmp_path / "a", layers(Q, numbers=[0]), rank=9))
    assert files.resident_bytes(dequantises=True) == 16 * (64 + 64) * 4


def test_its_bytes_on_a_gpu_are_of_its_own_type(tmp_path: Path) -> None:
    folder = write_mlx(tmp_path / "a", layers(Q, numbers=[0]), rank=8)
    rewrite(folder, lambda tensors: tensors.update({n: t.astype(np.float16) for n, t in tensors.items()}))
    assert lora.read(folder).resident_bytes(dequantises=False) == 8 * (64 + 64) * 2


def test_a_layer_of_another_size_belongs_to_another_model(tmp_path: Path) -> None:
    files = lora.read(write_mlx(tmp_path / "a", layers(DOWN, numbers=[0])))
    lora.check_base(files.layers, {"model.layers.0.mlp.down_proj": (64, 128), "other": (1, 1)})
    with pytest.raises(BrokenLora, match="belongs to another model"):
        lora.check_base(files.layers, {"model.layers.0.mlp.down_proj": (64, 256)})


def test_experts_have_factors_of_their_own(tmp_path: Path) -> None:
    files = lora.read(write_mlx(tmp_path / "a", EXPERTS, rank=9))
    (layer,) = files.layers
    assert layer.shape == (8, 128, 64) and layer.rank == 9 and layer.is_transposed
    assert files.resident_bytes(dequantises=True) == 8 * 16 * (64 + 128) * 4


def test_single_experts_in_pefts_form_share_a_stack(tmp_path: Path) -> None:
    single = {f"model.layers.0.mlp.experts.{number}.up_proj": (128, 64) for number in (1, 5)}
    files = lora.read(write_peft(tmp_path / "a", single | layers(Q, numbers=[0]), rank=9))
    assert [layer.shape for layer in files.layers if "experts" in layer.path] == [(128, 64)] * 2
    assert files.resident_bytes(dequantises=True) == 6 * 16 * (64 + 128) * 4 + 16 * (64 + 64) * 4


def test_experts_of_another_number_or_size_belong_to_another_model(tmp_path: Path) -> None:
    files = lora.read(write_mlx(tmp_path / "a", EXPERTS))
    lora.check_base(files.layers, {UP0: (8, 128, 64)})
    for shape in ((4, 128, 64), (8, 64, 128), (128, 64)):
        with pytest.raises(BrokenLora, match="8 x 64 x 128 numbers.*belongs to another model"):
            lora.check_base(files.layers, {UP0: shape})


def test_factors_of_different_numbers_of_experts(tmp_path: Path) -> None:
    folder = write_mlx(tmp_path / "a", EXPERTS)
    rewrite(folder, lambda t: t.update({f"{UP0}.lora_b": np.zeros((7, 128, 4), np.float32)}))
    assert "do not fit each other" in problem(folder)
    rewrite(folder, lambda t: t.update({f"{UP0}.lora_b": np.zeros((128, 4), np.float32)}))
    assert "no matrices" in problem(folder)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"fine_tune_type": "full"}, "full fine-tune"),
        ({"fine_tune_type": "dora"}, "disagree on whether it is DoRA"),
        ({"fine_tune_type": "ia3"}, "fine_tune_type is 'ia3'"),
        ({"lora_parameters": None}, "no lora_parameters"),
        ({"lora_parameters": {"rank": 8, "scale": 2.0}}, "has the rank 8, and its layers 4"),
        ({"lora_parameters": {"rank": 4, "alpha": 2.0}}, "no number for scale"),
        ({"lora_parameters": {"rank": 4, "scale": float("nan")}}, "no number for scale"),
        ({"lora_parameters": {"rank": 4, "scale": True}}, "no number for scale"),
    ],
)
def test_settings_of_mlx_lm_that_cannot_be_served(tmp_path: Path, values: dict[str, Any], text: str) -> None:
    folder = write_mlx(tmp_path / "a", layers(Q))
    change(folder, **values)
    assert text in problem(folder)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"bias": "lora_only"}, "bias: lora_only"),
        ({"alpha_pattern": {"q_proj": 3}}, "alpha_pattern"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: pissa"),
        ({"use_dora": True}, "disagree on whether it is DoRA"),
        ({"r": 3}, "has the rank 3, and its layers 4"),
        ({"lora_alpha": "8"}, "no number for lora_alpha"),
    ],
)
def test_settings_of_peft_that_cannot_be_served(tmp_path: Path, values: dict[str, Any], text: str) -> None:
    folder = write_peft(tmp_path / "a", layers(Q))
    change(folder, **values)
    assert text in problem(folder)


def test_what_cannot_be_added_to_single_rows_says_to_fuse_it(tmp_path: Path) -> None:
    experts = write_mlx(tmp_path / "a", EXPERTS, is_dora=True)
    assert "experts" in problem(experts) and "DoRA" in problem(experts) and "mlx_lm.fuse" in problem(experts)
    peft = write_peft(tmp_path / "c", layers(Q, numbers=[0]))
    factors = {"A": np.zeros((8, 4, 64), np.float32), "B": np.zeros((8, 64, 4), np.float32)}
    rewrite(
        peft, lambda t: t.update({f"base_model.model.{Q0}.lora_{x}.weight": y for x, y in factors.items()})
    )
    assert "experts" in problem(peft) and "PEFT" in problem(peft) and "mlx_lm.fuse" in problem(peft)
    embedding = write_peft(tmp_path / "b", layers(Q))
    name = "base_model.model.model.embed_tokens.lora_embedding_A"
    rewrite(embedding, lambda t: t.update({name: np.zeros((4, 264), np.float32)}))
    assert "lora_embedding_A" in problem(embedding) and "mlx_lm.fuse" in problem(embedding)


def test_factors_that_do_not_fit_each_other(tmp_path: Path) -> None:
    lone = write_mlx(tmp_path / "a", layers(Q))
    rewrite(lone, lambda t: t.pop(f"{Q0}.lora_b"))
    assert "only one of its two factors" in problem(lone)
    other = write_mlx(tmp_path / "b", layers(Q))
    rewrite(other, lambda t: t.update({f"{Q0}.lora_b": np.zeros((5, 64), np.float32)}))
    assert "do not fit each other" in problem(other)
    flat = write_mlx(tmp_path / "c", layers(Q))
    rewrite(flat, lambda t: t.update({f"{Q0}.lora_a": np.zeros(4, np.float32)}))
    assert "no matrices" in problem(flat)
    whole = write_mlx(tmp_path / "d", layers(Q))
    rewrite(whole, lambda t: t.update({f"{Q0}.lora_a": np.zeros((64, 4), np.int32)}))
    assert "holds I32 numbers" in problem(whole)
    magnitudes = write_mlx(tmp_path / "e", layers(O), is_dora=True)
    rewrite(magnitudes, lambda t: t.update({"model.layers.0.self_attn.o_proj.m": np.ones(3, np.float32)}))
    assert "magnitudes" in problem(magnitudes)


def test_files_that_are_missing_or_broken(tmp_path: Path) -> None:
    assert "it has no adapter_config.json" in problem(tmp_path)
    (tmp_path / "adapter_config.json").write_text("[1]")
    assert "cannot be read" in problem(tmp_path)
    folder = write_mlx(tmp_path / "a", layers(Q))
    file = folder / "adapters.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-8])
    assert "cut off" in problem(folder)
    file.write_bytes(b"no header at all")
    assert "cut off" in problem(folder)
    file.unlink()
    assert "it has no adapters.safetensors" in problem(folder)
    save_file({}, str(file))
    assert "has no tensors" in problem(folder)

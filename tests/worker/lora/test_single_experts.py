"""Adapters in PEFT's form with factors for single experts are those of one layer with all of them."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import pytest
from mlx_lm.utils import _get_classes
from safetensors.numpy import load_file, save_file

from inference.repository.files.lora import BrokenLora
from inference.worker.lora.weights import read, targets
from tests.architectures.configs import config, make
from tests.loras import write_mlx
from tests.worker.lora.adapted import lora_of
from tests.worker.lora.test_experts import shapes

pytestmark = pytest.mark.mlx
# How transformers names the layers of single experts, and mlx-lm those of all.
NAMES = {
    "qwen3_moe": ("mlp.experts.{}.", {}),
    "mixtral": ("block_sparse_moe.experts.{}.", {"gate_proj": "w1", "down_proj": "w2", "up_proj": "w3"}),
    "dots1": ("mlp.experts.{}.", {}),
}


def in_pefts_form(folder: Path, family: str, ours: Path, numbers: Iterable[int], *, rank: int = 4) -> Path:
    """The adapter of all experts `ours`, with a layer for each of these experts, as PEFT writes it."""
    block, names = NAMES[family]
    arrays = {}
    for name, factors in load_file(str(ours / "adapters.safetensors")).items():
        layer, _, part = name.rpartition(".")
        prefix, _, projection = layer.rpartition(".")
        prefix = re.sub(r"[a-z_]+\.(switch_mlp|experts)$", "", prefix)
        for number in numbers:
            path = f"{prefix}{block.format(number)}{names.get(projection, projection)}"
            arrays[f"base_model.model.{path}.lora_{part[-1].upper()}.weight"] = factors[number].copy()
    folder.mkdir()
    save_file(arrays, str(folder / "adapter_model.safetensors"))
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 4.0 * rank, "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


class Adapters:
    """An adapter of all experts of a tiny model, in both forms."""

    def __init__(self, family: str, folder: Path, numbers: Iterable[int] | None = None) -> None:
        self.model = make(family)
        found = shapes(self.model, of_experts=True)
        self.count = next(iter(found.values()))[0]
        self.ours = write_mlx(folder / "ours", found, rank=4, scale=4.0)
        all_numbers = range(self.count) if numbers is None else numbers
        self.peft = in_pefts_form(folder / "peft", family, self.ours, all_numbers)

    def factors(self, folder: Path) -> dict[str, list[mx.array]]:
        weights = read(lora_of(folder), targets(self.model), is_cpu=True)
        return {path: one.arrays for path, one in weights.factors.items()}


@pytest.mark.parametrize("family", NAMES)
def test_single_experts_are_those_of_one_layer(family: str, tmp_path: Path) -> None:
    both = Adapters(family, tmp_path)
    ours, peft = both.factors(both.ours), both.factors(both.peft)
    assert set(ours) == set(peft) and ours
    for path, arrays in ours.items():
        assert all(mx.array_equal(one, other).item() for one, other in zip(arrays, peft[path], strict=True))


def test_experts_that_it_leaves_alone_stay_as_they_are(tmp_path: Path) -> None:
    both = Adapters("qwen3_moe", tmp_path, numbers=[1, 2])
    ours = both.factors(both.ours)
    for path, (a, b) in both.factors(both.peft).items():
        assert mx.array_equal(a[1:3], ours[path][0][1:3]).item()
        assert a.shape == ours[path][0].shape and b.shape == ours[path][1].shape
        assert not any(x[at].any().item() for x in (a, b) for at in range(both.count) if at not in (1, 2))


def test_experts_of_other_ranks_are_padded(tmp_path: Path) -> None:
    both = Adapters("qwen3_moe", tmp_path, numbers=[0, 1])
    file = both.peft / "adapter_model.safetensors"
    arrays = load_file(str(file))
    wide = {
        name: array.repeat(5, axis=int("lora_B" in name)) for name, array in arrays.items() if ".1." in name
    }
    save_file(arrays | {name: array for name, array in wide.items() if ".experts.1." in name}, str(file))
    config = both.peft / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rank_pattern": {"experts.1": 20}}))
    for a, b in both.factors(both.peft).values():
        assert (a.shape[-1], b.shape[-2]) == (24, 24)
        assert a[0, :, :4].any().item() and not a[0, :, 8:].any().item()


def problem(both: Adapters) -> str:
    with pytest.raises(BrokenLora) as raised:
        both.factors(both.peft)
    return str(raised.value)


def test_an_expert_that_the_model_does_not_have(tmp_path: Path) -> None:
    both = Adapters("qwen3_moe", tmp_path, numbers=[0])
    file = both.peft / "adapter_model.safetensors"
    arrays = load_file(str(file))
    save_file({name.replace("experts.0.", "experts.99."): x for name, x in arrays.items()}, str(file))
    assert f"it changes the expert 99, and the model has {both.count}" in problem(both)


def test_an_expert_of_another_size(tmp_path: Path) -> None:
    both = Adapters("qwen3_moe", tmp_path, numbers=[0])
    file = both.peft / "adapter_model.safetensors"
    save_file(
        {name: x.repeat(2, axis=1) if "lora_A" in name else x for name, x in load_file(str(file)).items()},
        str(file),
    )
    assert "the model's" in problem(both)


def test_magnitudes_of_an_expert_are_refused(tmp_path: Path) -> None:
    both = Adapters("qwen3_moe", tmp_path, numbers=[0])
    file = both.peft / "adapter_model.safetensors"
    arrays = load_file(str(file))
    vectors = {
        name.replace("lora_B.weight", "lora_magnitude_vector"): x[:, 0].copy()
        for name, x in arrays.items()
        if "lora_B" in name
    }
    save_file(arrays | vectors, str(file))
    config = both.peft / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"use_dora": True}))
    assert "in DoRA" in problem(both)


def test_layers_whose_weights_the_model_reads_are_not_changed() -> None:
    kimi = make("kimi_k3")
    assert any(path.endswith("res_proj") for path, _ in kimi.named_modules())
    assert not any(path.endswith("res_proj") for path in targets(kimi))
    for is_tied in (False, True):  # then it reads the embedding as its head
        fields = config("minicpm") | {"tie_word_embeddings": is_tied}
        model_class, args_class = _get_classes(fields)
        found = targets(model_class(args_class.from_dict(fields))).values()
        assert any(isinstance(layer, nn.Embedding) for layer in found) != is_tied

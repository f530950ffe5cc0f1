"""Predictions beside what mlx-lm really makes are in tests/worker/quantisation/test_quantise.py."""

from inference.core.quantisation import QuantisationSettings
from inference.repository.files.safetensors import Tensor
from inference.repository.quantising.size_estimate import (
    measuring_bytes,
    quantised_bytes,
    quantising_bytes,
)
from tests.each import each


def matrix(name: str, rows: int = 1000, columns: int = 640) -> Tensor:
    return Tensor(name, "BF16", (rows, columns), rows * columns * 2)


def test_a_matrix_has_its_bits_and_two_numbers_for_each_group() -> None:
    bits = [quantised_bytes([matrix("x.weight")], QuantisationSettings(bits=bits)) for bits in (8, 4)]
    assert bits == [640_000 + 40_000, 320_000 + 40_000]
    assert quantised_bytes([matrix("x.weight")], QuantisationSettings(group_size=128)) == 320_000 + 20_000


@each(
    "tensor",
    [
        Tensor("norm.weight", "BF16", (640,), 1280),
        matrix("x.conv1d.weight"),
        matrix("x.weight", columns=100),
    ],
)
def test_what_mlx_lm_leaves_alone_keeps_its_size(tensor: Tensor) -> None:
    assert quantised_bytes([tensor], QuantisationSettings()) == tensor.bytes


def test_a_recipe_gives_more_bits_to_some() -> None:
    """Of 8 layers the first, the last and every third between them, for values and the way down."""
    recipe = QuantisationSettings(recipe="mixed_4_6")
    plain = quantised_bytes([matrix("x.weight")], QuantisationSettings(bits=4))
    more = quantised_bytes([matrix("x.weight")], QuantisationSettings(bits=6))
    others = [matrix(f"model.layers.{layer}.mlp.up_proj.weight") for layer in range(8)]
    down = [matrix(f"model.layers.{layer}.mlp.down_proj.weight") for layer in range(8)]
    assert quantised_bytes(others, recipe) == 8 * plain
    assert quantised_bytes(down, recipe) == 4 * plain + 4 * more  # 0, 3, 6 and 7
    assert quantised_bytes([matrix("lm_head.weight")], recipe) == more


def test_memory_is_one_file_and_two_layers_however_large_the_model_is() -> None:
    layers = [matrix(f"model.layers.{layer}.x.weight", 10_000, 10_240) for layer in range(200)]
    settings = QuantisationSettings(bits=8)
    assert quantised_bytes(layers, settings) > 20 * 10**9
    assert quantising_bytes(layers, settings) < 7 * 10**9
    config = {"num_hidden_layers": 200, "hidden_size": 10_240}
    assert measuring_bytes(layers, config, dequantises=False, window=512) > 40 * 10**9

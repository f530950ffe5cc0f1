"""What looking at a picture takes, against what it took."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
from PIL import Image

from inference.repository.files.vision import Vision, read
from inference.repository.tower_estimate import tower_bytes
from inference.worker.vision.families.idefics3 import Idefics3
from inference.worker.vision.families.pixtral import Pixtral
from inference.worker.vision.seen import VisionFamily
from tests.each import each
from tests.tiny_smolvlm import make_tiny_smolvlm
from tests.tiny_vision import NEEDS_MLX_VLM, make_tiny_pixtral

MISTRAL: dict[str, Any] = {
    "model_type": "mistral3",
    "spatial_merge_size": 2,
    "vision_config": {
        "image_size": 1540,
        "patch_size": 14,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_attention_heads": 16,
    },
}
SIDE = 308  # pixels of a picture; a longer one takes seconds
TOWER = ("vision_tower.patch_conv.weight",)


def estimate(config: dict[str, Any], tokens: int = 4096, *, dequantises: bool = False) -> int:
    seen = read(config, TOWER)
    assert seen
    return tower_bytes(config, seen, tokens=tokens, dequantises=dequantises)


def with_vision(**changes: Any) -> dict[str, Any]:
    return MISTRAL | {"vision_config": MISTRAL["vision_config"] | changes}


def test_a_cpu_makes_the_scores_of_attention() -> None:
    patches, per_patch = 1024 * 4, 16 * 1024 + 4 * 4096
    pixels = patches * 3 * 14**2 * 4 * 4
    assert estimate(MISTRAL, 1024) == patches * per_patch * 2 + pixels
    assert estimate(MISTRAL, 1024, dequantises=True) == (patches * per_patch + 16 * patches**2) * 4 + pixels


def test_so_does_metal_for_heads_of_an_odd_width() -> None:
    assert estimate(with_vision(num_attention_heads=8)) < estimate(with_vision(num_attention_heads=12)) / 4


def test_but_not_where_the_tower_pads_them() -> None:
    vision = {"patch_size": 16, "hidden_size": 1152, "num_heads": 16, "intermediate_size": 4304}
    qwen = {"model_type": "qwen3_vl", "vision_config": vision}
    assert estimate(qwen) < 16384 * (16 * 1152 + 4 * 4304 + 3 * 16**2 * 8) * 2 + 1
    assert estimate(qwen, 1024, dequantises=True) > 16 * 4096**2 * 4


def test_a_budget_of_tokens_is_nine_patches_each() -> None:
    def gemma(tokens: int) -> dict[str, Any]:
        vision = {"patch_size": 16, "hidden_size": 1152, "num_attention_heads": 16, "intermediate_size": 4304}
        config = {"model_type": "gemma4", "vision_soft_tokens_per_image": tokens}
        return config | {"vision_config": vision}

    assert 3.8 < estimate(gemma(1120)) / estimate(gemma(280)) < 4.1


def test_a_picture_of_more_tokens_takes_more() -> None:
    assert estimate(MISTRAL, 512) * 2 == estimate(MISTRAL, 1024)
    assert estimate(MISTRAL, 4096) == estimate(MISTRAL, 55 * 56) < estimate(MISTRAL, 3000) * 1.1


@each("odd", [None, "12", -1, 10**30, [3]])
def test_a_figure_that_makes_no_sense_is_guessed(odd: Any) -> None:
    assert 0 < estimate(with_vision(hidden_size=odd, num_attention_heads=odd, intermediate_size=odd)) < 2**36


def test_tiles_are_computed_together() -> None:
    config = {"vision_config": {"image_size": 512, "patch_size": 16, "hidden_size": 768}}
    seen = Vision(most_tokens=17 * 67, views=17)
    whole, few = (tower_bytes(config, seen, tokens=tokens, dequantises=True) for tokens in (4096, 5 * 67))
    assert whole == 17 * few // 5


def wide(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    config["vision_config"] |= {
        "hidden_size": 256,
        "head_dim": 64,
        "intermediate_size": 1024,
        "num_attention_heads": 4,
    }
    return config


def took(vision: VisionFamily, size: tuple[int, int]) -> int:
    """Bytes at the most while a picture was looked at."""
    seen = vision.see(Image.new("RGB", size), b"", "auto")
    mx.eval(vision.tower.parameters(), vision.look(vision.see(Image.new("RGB", (9, 9)), b"", "low")))
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(vision.look(seen))
    return mx.get_peak_memory() - before


@pytest.mark.mlx
@NEEDS_MLX_VLM
def test_a_tower_of_rows_takes_no_more_than_that(tmp_path: Path) -> None:
    config = wide(make_tiny_pixtral(tmp_path / "m"))
    config["vision_config"]["image_size"] = SIDE
    guess = estimate(config, dequantises=True)
    with mx.stream(mx.cpu):
        real = took(Pixtral(config, {"size": {"longest_edge": SIDE}}, 4096), (SIDE, SIDE))
    assert guess / 2 < real <= guess


@pytest.mark.mlx
@NEEDS_MLX_VLM
def test_a_tower_of_tiles_takes_no_more_than_that(tmp_path: Path) -> None:
    folder = make_tiny_smolvlm(tmp_path / "m")
    config = wide(folder)
    rules = json.loads((folder / "preprocessor_config.json").read_text())
    guess = estimate(config, dequantises=True)
    with mx.stream(mx.cpu):
        real = took(Idefics3(config, rules, 4096), (2000, 2000))
    assert guess / 4 < real <= guess

"""Which models see: config.json and the tensors have to agree."""

from typing import Any

import pytest

from inference.repository.files.vision import read
from tests.each import each

TOWER = ("language_model.model.norm.weight", "vision_tower.patch_conv.weight")
MISTRAL = {
    "model_type": "mistral3",
    "spatial_merge_size": 2,
    "vision_config": {"model_type": "pixtral", "image_size": 1540, "patch_size": 14},
}
SMOLVLM = {
    "model_type": "smolvlm",
    "scale_factor": 4,
    "vision_config": {"model_type": "smolvlm_vision", "image_size": 512, "patch_size": 16},
}


def test_a_picture_of_mistral_has_a_token_more_in_each_row() -> None:
    found = read(MISTRAL, TOWER)
    assert found and (found.most_tokens, found.token_pixels) == (55 * 56, 28)


@each(("kind", "patch"), [("qwen2_5_vl", 14), ("qwen3_vl", 16), ("qwen3_5_moe", 16)])
def test_a_picture_of_qwen_has_a_token_for_each_square(kind: str, patch: int) -> None:
    config = {"model_type": kind, "vision_config": {"patch_size": patch, "spatial_merge_size": 2}}
    found = read(config, ("model.language_model.norm.weight", "model.visual.patch_embed.proj.weight"))
    assert found and (found.most_tokens, found.token_pixels) == (16384, 2 * patch)
    assert read(config, ("visual.patch_embed.proj.weight",)) and not read(config, ("lm_head.weight",))


def test_a_picture_of_smolvlm_has_as_many_tokens_at_any_size() -> None:
    found = read(SMOLVLM, ("model.vision_model.embeddings.patch_embedding.weight",))
    assert found and found.most_tokens >= 17 * 64 and found.token_pixels == 0


@each(
    ("kind", "vision", "own", "most"),
    [
        ("gemma3", {"image_size": 896}, {"mm_tokens_per_image": 64}, 64),
        ("gemma3", {"image_size": 896}, {}, 256),
        ("gemma4", {"patch_size": 16}, {"vision_soft_tokens_per_image": 560}, 560),
        ("gemma4", {"patch_size": 16}, {}, 280),
    ],
)
def test_a_picture_of_gemma_has_as_many_tokens_at_any_size(
    kind: str, vision: dict[str, int], own: dict[str, int], most: int
) -> None:
    config = {"model_type": kind, "vision_config": vision, **own}
    found = read(config, ("model.embed_vision.embedding_projection.weight",))
    assert found and (found.most_tokens, found.token_pixels) == (most + 4, 0)


@pytest.mark.parametrize("tensors", [(), ("language_model.model.norm.weight",)])
def test_without_the_weights_of_a_tower_it_sees_nothing(tensors: tuple[str, ...]) -> None:
    assert read(MISTRAL, tensors) is None


@each(
    "config",
    [
        {},
        {"model_type": "llama", "vision_config": MISTRAL["vision_config"]},
        {"model_type": "mistral3"},
        {"model_type": "mistral3", "vision_config": None},
        {"model_type": "mistral3", "vision_config": {}},
        {"model_type": "mistral3", "vision_config": {"image_size": "1540", "patch_size": 14}},
        {"model_type": "mistral3", "vision_config": {"image_size": 10**30, "patch_size": 14}},
        {"model_type": "smolvlm", "vision_config": {"image_size": 512, "patch_size": 0}},
        {"model_type": "gemma3", "vision_config": {}},
        {"model_type": "gemma4", "vision_config": {}},
    ],
)
def test_a_config_that_does_not_say_how_it_sees_is_one_of_a_text_model(config: dict[str, Any]) -> None:
    assert read(config, TOWER) is None

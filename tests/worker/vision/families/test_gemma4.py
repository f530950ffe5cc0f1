"""Gemma 4, small and large: what transformers' rules make of a picture, number by number."""

from typing import Any

import numpy as np
import pytest
from transformers.models.gemma4.image_processing_pil_gemma4 import (
    Gemma4ImageProcessorPil,
    convert_image_to_patches,
    get_aspect_ratio_preserving_size,
)

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Message
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.text.prompts import Prompts
from inference.worker.vision.families.gemma4 import Gemma4
from tests.nightly import of_each_kind
from tests.tiny_gemma import PATCH_OF_4, TOKENS_OF_4, make_tiny_gemma4
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, picture
from tests.worker.vision.families.test_pixtral import loaded, logits_of, vision_of
from tests.worker.vision.gemma_answers import GemmaAnswers
from tests.worker.vision.mlx_vlm_answers import difference

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
ALL_SIZES = [(100, 60), (60, 100), (48, 48), (1, 1), (900, 300), (5, 400), (3, 1000), (2000, 7)]
SIZES = of_each_kind(ALL_SIZES, [(60, 100), (1, 1), (3, 1000)])
Made = tuple[LoadedModel, GemmaAnswers]


@pytest.fixture(scope="module", params=["small", "large"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = make_tiny_gemma4(tmp_path_factory.mktemp("gemma") / "m", is_large=request.param == "large")
    return loaded(folder), GemmaAnswers(folder)


def test_pixels_and_features_are_those_of_transformers(made: Made) -> None:
    model, theirs = made
    vision = vision_of(model)
    processor: Any = Gemma4ImageProcessorPil(**theirs.rules)
    for width, height in SIZES:
        image = drawn(width, height, seed=width)
        seen = vision.see(image, b"", "auto")
        ours = (seen.views[0].astype(np.float32) * np.float32(1 / 255)).transpose(2, 0, 1)
        patches = convert_image_to_patches(ours, PATCH_OF_4)
        want = processor(images=[image], return_tensors="np")
        assert seen.tokens == want["num_soft_tokens_per_image"][0] <= TOKENS_OF_4, image.size
        assert np.abs(patches - want["pixel_values"][0][: len(patches)]).max() < 1e-6, image.size
        scaled = np.array(vision.look(seen)) * 96**0.5  # the text model multiplies by this number
        assert difference(scaled, np.array(theirs.features(image))) < 1e-5, image.size


def test_logits_of_a_prompt_are_those_of_its_own_attention(made: Made) -> None:
    model, theirs = made
    images = [drawn(100, 60, seed=1), drawn(300, 900, seed=2)]
    seen = [vision_of(model).see(one, bytes([n]), "auto") for n, one in enumerate(images)]
    content = f"One {PICTURE} two {PICTURE}, which one is larger?"
    message = Message(role="user", content=content, pictures=tuple(map(picture, images)))
    (prepared,) = Prompts(model, Load(model="m", path="")).prepare(
        ChatRequest(model="m", messages=(message,)), "", seen
    )
    turn = ("user", ["One ", images[0], " two ", images[1], ", which one is larger?"])
    assert list(prepared.prompt) == np.array(theirs.processed(turn)["input_ids"][0]).tolist()
    features = [theirs.features(one) for one in images]
    want = theirs.logits(prepared.prompt, features)
    assert difference(logits_of(model, prepared.sequences[0]), want) < 2e-4  # rounding
    pictures = prepared.sequences[0].pictures
    assert pictures
    if pictures.wholes:  # the large ones
        assert pictures.wholes == pictures.spans
        assert difference(theirs.logits(prepared.prompt, features, is_causal=True), want) > 0.05  # it matters


@pytest.mark.parametrize(
    ("own", "most", "detail", "budget"),
    [
        (280, 4096, "auto", 280),
        (280, 4096, "low", 70),
        (280, 279, "high", 140),
        (1120, 1024, "auto", 560),
        (1120, 4096, "high", 1120),
        (280, 10, "auto", 70),  # the smallest
        (12, 4096, "low", 12),
    ],
)
def test_a_budget_is_one_of_those_that_were_trained(own: int, most: int, detail: Any, budget: int) -> None:
    config = {
        "vision_config": {"patch_size": 16, "num_hidden_layers": 1},
        "text_config": {"hidden_size": 64},
    }
    vision = Gemma4(config, {"max_soft_tokens": own}, most)
    for width, height in [(1600, 1200), (40, 70), (5000, 100), (1, 3000)]:
        seen = vision.see(drawn(width, height), b"", detail)
        want = get_aspect_ratio_preserving_size(height, width, 16, budget * 9, 3)
        assert seen.views.shape[1:3] == want
        assert seen.tokens == want[0] * want[1] // 48**2 == seen.text.count("<|image|>") <= budget

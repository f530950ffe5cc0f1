"""Gemma 3: what transformers' rules make of a picture, number by number."""

from pathlib import Path

import numpy as np
import pytest

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Message
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.text.prompts import Prompts
from tests.tiny_gemma import SIZE_OF_3, TOKENS_OF_3, make_tiny_gemma3
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, picture
from tests.worker.vision.families.test_pixtral import loaded, logits_of, vision_of
from tests.worker.vision.gemma_answers import GemmaAnswers
from tests.worker.vision.mlx_vlm_answers import difference

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
SIZES = [(100, 60), (60, 100), (56, 56), (57, 55), (1, 1), (900, 300), (5, 400)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_gemma3(tmp_path_factory.mktemp("gemma") / "m")


@pytest.fixture(scope="module")
def model(folder: Path) -> LoadedModel:
    return loaded(folder)


@pytest.fixture(scope="module")
def theirs(folder: Path) -> GemmaAnswers:
    return GemmaAnswers(folder)


def test_pixels_and_features_are_those_of_transformers(model: LoadedModel, theirs: GemmaAnswers) -> None:
    vision = vision_of(model)
    for width, height in SIZES:
        image = drawn(width, height, seed=width)
        seen = vision.see(image, b"", "low")
        assert seen.views.shape == (1, SIZE_OF_3, SIZE_OF_3, 3) and seen.tokens == TOKENS_OF_3
        ours = (seen.views[0].astype(np.float32) * np.float32(1 / 255) - 0.5) / 0.5
        assert np.abs(ours - np.array(theirs.pixels(image))[0].transpose(1, 2, 0)).max() < 1e-6, image.size
        # The text model multiplies by this number.
        scaled = np.array(vision.look(seen)) * 9.8125
        assert difference(scaled, np.array(theirs.features(image))) < 1e-5, image.size


def test_logits_of_a_prompt_are_those_of_its_own_attention(model: LoadedModel, theirs: GemmaAnswers) -> None:
    images = [drawn(100, 60, seed=1), drawn(300, 900, seed=2)]
    files = tuple(map(picture, images))
    seen = [vision_of(model).see(one, bytes([n]), "auto") for n, one in enumerate(images)]
    message = Message(
        role="user", content=f"One {PICTURE} two {PICTURE}, which one is larger?", pictures=files
    )
    (prepared,) = Prompts(model, Load(model="m", path="")).prepare(
        ChatRequest(model="m", messages=(message,)), "", seen
    )
    turn = ("user", ["One ", images[0], " two ", images[1], ", which one is larger?"])
    assert list(prepared.prompt) == np.array(theirs.processed(turn)["input_ids"][0]).tolist()
    features = [theirs.features(one) for one in images]
    want = theirs.logits(prepared.prompt, features)
    ours = logits_of(model, prepared.sequences[0])
    assert difference(ours, want) < 2e-4  # rounding
    causal = theirs.logits(prepared.prompt, features, is_causal=True)
    assert difference(causal, want) > 0.05  # it matters
    pictures = prepared.sequences[0].pictures
    assert pictures and pictures.wholes == pictures.spans

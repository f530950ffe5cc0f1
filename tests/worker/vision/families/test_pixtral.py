"""Pixtral and Mistral Small 3: what mlx-vlm makes of a picture, number by number."""

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from PIL import Image

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Message
from inference.worker.engine.sequence import Sequence
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.text.prompts import Prompts
from inference.worker.vision.families.pixtral import Pixtral
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Seen, VisionFamily
from tests.tiny_vision import LONGEST, NEEDS_MLX_VLM, PATCH, UNIT, drawn, make_tiny_pixtral, picture
from tests.worker.vision.mlx_vlm_answers import MlxVlm, difference

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
SIZES = [(100, 60), (60, 100), (28, 28), (29, 27), (1, 1), (900, 300), (5, 400), (224, 224), (333, 1000)]


def loaded(folder: Path) -> LoadedModel:
    return load(Load(model="m", path=str(folder), device="cpu"), lambda progress: None)


def vision_of(model: LoadedModel) -> VisionFamily:
    assert model.vision, model.findings
    return model.vision


def logits_of(model: LoadedModel, one: Sequence) -> mx.array:
    """Those of the whole prompt, (T, V), with its pictures."""
    assert one.pictures
    row = PictureRow(one.pictures)
    row.features = {n: vision_of(model).look(placed.seen) for n, placed in enumerate(one.pictures.placed)}
    with picture_rows([row], [0]):
        logits: mx.array = model.model(mx.array([one.prompt]))
    return logits[0]


@pytest.mark.parametrize("kind", ["mistral3", "pixtral"])
def test_features_and_logits_are_those_of_mlx_vlm(tmp_path: Path, kind: str) -> None:
    folder = make_tiny_pixtral(tmp_path / kind, kind=kind)
    model, theirs = loaded(folder), MlxVlm(folder, kind)
    vision = vision_of(model)
    images = [drawn(width, height, seed=width) for width, height in SIZES]
    seen = [vision.see(image, bytes([n]), "auto") for n, image in enumerate(images)]
    for one, image in zip(seen, images, strict=True):
        assert difference(vision.look(one), theirs.features(image)) < 1e-5, image.size

    chosen = [seen[0], seen[5]]
    files = tuple(map(picture, (images[0], images[5])))
    message = Message(role="user", content=f"One {PICTURE} two {PICTURE}{PICTURE}"[:-1], pictures=files)
    prepared = Prompts(model, Load(model="m", path="")).prepare(
        ChatRequest(model="m", messages=(message,)), "", chosen
    )
    turn = ("user", ["One ", images[0], " two ", images[5]])
    assert list(prepared[0].prompt) == np.array(theirs.processed(turn)["input_ids"][0]).tolist()
    assert difference(logits_of(model, prepared[0].sequences[0]), theirs.logits(turn)) < 1e-5
    blind = model.model(mx.array([prepared[0].prompt]))[0]
    assert difference(blind, theirs.logits(turn)) > 0.1  # it did look


def test_pixels_and_sizes_are_those_of_mlx_vlm(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    vision, theirs = vision_of(loaded(folder)), MlxVlm(folder)
    for width, height in SIZES:
        image = drawn(width, height)
        got = theirs.processed(("user", [image]))
        seen = vision.see(image, b"", "auto")
        assert seen.views.shape[1:3] == tuple(np.array(got["image_sizes"]).reshape(-1)[:2].tolist())
        mean, std = np.array(Pixtral.MEAN, np.float32), np.array(Pixtral.STD, np.float32)
        pixels = (seen.views[0].astype(np.float32) * np.float32(1 / 255) - mean) / std
        assert np.array_equal(pixels, np.array(got["pixel_values"][0]).transpose(1, 2, 0))


def seen_by(tmp_path: Path, size: tuple[int, int], most: int = 4096, detail: str = "auto") -> Seen:
    folder = make_tiny_pixtral(tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["image_size"] = 10_000
    rules = {"size": {"longest_edge": 10_000}}
    return Pixtral(config, rules, most).see(Image.new("RGB", size), b"", detail)  # type: ignore[arg-type]


def test_a_picture_is_made_smaller_until_it_has_no_more_tokens_than_it_may(tmp_path: Path) -> None:
    assert seen_by(tmp_path, (2800, 1400)).tokens == 2048  # 64 units wide
    assert seen_by(tmp_path, (2800, 1400), most=100).tokens == 50
    assert seen_by(tmp_path, (2800, 1400), detail="low").tokens == 128
    assert seen_by(tmp_path, (2800, 1400), most=100, detail="low").tokens == 50
    assert seen_by(tmp_path, (20_000, 3)).tokens == 64


def test_other_sizes_and_other_pictures_have_other_digests(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    vision = vision_of(loaded(folder))
    image = drawn(LONGEST * 2, LONGEST)
    seen = [
        vision.see(image, b"1", "auto"),
        vision.see(image, b"1", "auto"),
        vision.see(image, b"2", "auto"),
        vision.see(image.resize((UNIT, UNIT)), b"1", "auto"),
    ]
    assert len({one.digest for one in seen}) == 3
    assert seen[0].digest == seen[1].digest
    assert PATCH * 2 == UNIT  # of mistral3: the projector merges four patches

"""Idefics 3 and SmolVLM: what mlx-vlm makes of a picture, number by number."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Message
from inference.worker.text.prompts import Prompts
from inference.worker.vision.families.idefics3 import Idefics3
from inference.worker.vision.seen import Seen
from tests.tiny_smolvlm import LONGEST, OF_TILE, TILE, make_tiny_smolvlm
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, picture
from tests.worker.vision.families.test_pixtral import loaded, logits_of, vision_of
from tests.worker.vision.mlx_vlm_answers import MlxVlm, difference

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
SIZES = [(100, 60), (60, 100), (48, 48), (49, 47), (3, 3), (900, 300), (5, 400), (333, 1000), (192, 192)]


@pytest.mark.parametrize("kind", ["smolvlm", "idefics3"])
def test_features_and_logits_are_those_of_mlx_vlm(tmp_path: Path, kind: str) -> None:
    folder = make_tiny_smolvlm(tmp_path / kind, kind=kind)
    model, theirs = loaded(folder), MlxVlm(folder, kind)
    vision = vision_of(model)
    images = [drawn(width, height, seed=width) for width, height in SIZES]
    seen = [vision.see(image, bytes([n]), "auto") for n, image in enumerate(images)]
    for one, image in zip(seen, images, strict=True):
        assert difference(vision.look(one), theirs.features(image)) < 1e-5, image.size

    files = (picture(images[0]), picture(images[7]))
    message = Message(role="user", content=f"One {PICTURE} two {PICTURE}, which?", pictures=files)
    prepared = Prompts(model, Load(model="m", path="")).prepare(
        ChatRequest(model="m", messages=(message,)), "", [seen[0], seen[7]]
    )
    turn = ("user", ["One ", images[0], " two ", images[7], ", which?"])
    assert list(prepared[0].prompt) == np.array(theirs.processed(turn)["input_ids"][0]).tolist()
    assert difference(logits_of(model, prepared[0].sequences[0]), theirs.logits(turn)) < 1e-5
    text = [("user", ["Say it."]), ("assistant", ["It."]), ("user", ["Again."])]
    messages = tuple(Message(role=role, content=parts[0]) for role, parts in text)  # type: ignore[arg-type]
    ours = Prompts(model, Load(model="m", path="")).tokens(ChatRequest(model="m", messages=messages))
    assert ours[0] == np.array(theirs.processed(*text)["input_ids"][0]).tolist()


def test_pixels_are_those_of_transformers(tmp_path: Path) -> None:
    for splits in (True, False):
        folder = make_tiny_smolvlm(tmp_path / str(splits), splits=splits)
        vision, theirs = vision_of(loaded(folder)), MlxVlm(folder, "smolvlm")
        for width, height in SIZES:
            image = drawn(width, height)
            want = np.array(theirs.processed(("user", [image]))["pixel_values"][0]).transpose(0, 2, 3, 1)
            seen = vision.see(image, b"", "auto")
            ours = (seen.views.astype(np.float32) * np.float32(1 / 255) - 0.5) / 0.5
            assert ours.shape == want.shape and np.abs(ours - want).max() < 1e-6, (splits, image.size)


def seen_by(tmp_path: Path, size: tuple[int, int], most: int, detail: str = "auto") -> Seen:
    folder = make_tiny_smolvlm(tmp_path / "m")
    config, rules = (
        json.loads((folder / name).read_text()) for name in ("config.json", "preprocessor_config.json")
    )
    return Idefics3(config, rules, most).see(Image.new("RGB", size), b"", detail)  # type: ignore[arg-type]


def test_a_picture_has_fewer_tiles_where_it_may_have_fewer_tokens(tmp_path: Path) -> None:
    square = (LONGEST, LONGEST)
    assert seen_by(tmp_path, square, 4096).tokens == 17 * OF_TILE
    assert seen_by(tmp_path, square, 10 * OF_TILE).tokens == 10 * OF_TILE
    assert seen_by(tmp_path, square, 9 * OF_TILE).tokens == 5 * OF_TILE
    assert seen_by(tmp_path, square, 3 * OF_TILE).tokens == OF_TILE
    assert seen_by(tmp_path, (LONGEST, TILE), 3 * OF_TILE).tokens == 3 * OF_TILE
    assert seen_by(tmp_path, square, 4096, "low").tokens == OF_TILE


def test_the_names_of_hugging_face_are_read(tmp_path: Path) -> None:
    ours, theirs = make_tiny_smolvlm(tmp_path / "ours"), make_tiny_smolvlm(tmp_path / "theirs")
    file = theirs / "model.safetensors"
    renamed = {}
    for name, array in load_file(str(file)).items():
        name = name.replace("language_model.lm_head", "lm_head").replace("language_model", "text_model")
        name = name if name.startswith("lm_head") else f"model.{name}"
        renamed[name] = array.transpose(0, 3, 1, 2).copy() if "patch_embedding.weight" in name else array
    save_file(renamed, str(file), metadata={"format": "pt"})
    features, logits = [], []
    for folder in (ours, theirs):
        model = loaded(folder)
        vision = vision_of(model)
        seen = vision.see(drawn(90, 90), b"", "auto")
        features.append(np.array(vision.look(seen)))
        message = Message(role="user", content=PICTURE, pictures=(picture(drawn(90, 90)),))
        request = ChatRequest(model="m", messages=(message,))
        prepared = Prompts(model, Load(model="m", path="")).prepare(request, "", [seen])
        logits.append(np.array(logits_of(model, prepared[0].sequences[0])))
    assert np.array_equal(features[0], features[1]) and np.array_equal(logits[0], logits[1])

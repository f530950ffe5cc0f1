"""Qwen 2.5-VL, Qwen 3-VL and Qwen 3.5: what mlx-vlm makes of a picture, number by number."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache
from PIL import Image
from safetensors.numpy import load_file, save_file

from inference.core.protocol import Load
from inference.core.requests import PICTURE, ChatRequest, Message
from inference.worker.engine.sequence import Sequence
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.text.prompts import Prompts
from inference.worker.vision.families.qwen import Qwen
from inference.worker.vision.rows import PictureRow, picture_rows
from inference.worker.vision.seen import Seen
from tests.nightly import of_each_kind
from tests.tiny_qwen_vl import KINDS, make_tiny_qwen, patch_of, unit_of
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, picture
from tests.worker.vision.families.test_pixtral import loaded, logits_of, vision_of
from tests.worker.vision.mlx_vlm_answers import Turn, difference
from tests.worker.vision.mlx_vlm_qwen import QwenOfMlxVlm

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]
ALL_SIZES = [(100, 60), (60, 100), (28, 28), (29, 27), (3, 3), (900, 300), (5, 400), (224, 224), (333, 1000)]
SIZES = of_each_kind(ALL_SIZES, [(60, 100), (29, 27), (3, 3), (900, 300), (5, 400)])
Family = tuple[LoadedModel, QwenOfMlxVlm]


@pytest.fixture(scope="module", params=of_each_kind(KINDS, ["qwen2_5_vl", "qwen3_vl", "qwen3_5_moe"]))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def family(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Family:
    folder = make_tiny_qwen(tmp_path_factory.mktemp("qwen") / kind, kind)
    return loaded(folder), QwenOfMlxVlm(folder, kind)


def asked(model: LoadedModel, *parts: Any) -> tuple[Sequence, Turn]:
    """A prompt of these texts and pictures, and the turn that mlx-vlm reads."""
    images = [part for part in parts if isinstance(part, Image.Image)]
    seen = [vision_of(model).see(image, image.tobytes(), "auto") for image in images]
    content = "".join(part if isinstance(part, str) else PICTURE for part in parts)
    message = Message(role="user", content=content, pictures=tuple(map(picture, images)))
    prompts = Prompts(model, Load(model="m", path=""))
    prepared = prompts.prepare(ChatRequest(model="m", messages=(message,)), "", seen)
    return prepared[0].sequences[0], ("user", parts)


def test_features_and_logits_are_those_of_mlx_vlm(family: Family) -> None:
    model, theirs = family
    for width, height in SIZES:
        image = drawn(width, height, seed=width)
        seen = vision_of(model).see(image, b"", "auto")
        assert difference(vision_of(model).look(seen), theirs.features(image)) < 1e-5, image.size

    wide, tall = drawn(200, 60, seed=1), drawn(60, 220, seed=2)
    sequence, turn = asked(model, "One ", wide, " two ", tall, ", which?")
    assert list(sequence.prompt) == theirs.processed(turn)["input_ids"][0].tolist()
    assert difference(logits_of(model, sequence), theirs.logits(turn)) < 1e-5
    blind = model.model(mx.array([sequence.prompt]))[0]
    assert difference(blind, theirs.logits(turn)) > 0.05  # it did look


def test_tokens_are_counted_in_time_rows_and_columns_as_mlx_vlm_counts(family: Family) -> None:
    model, theirs = family
    sequence, turn = asked(model, drawn(200, 60), "and", drawn(60, 220), drawn(90, 90), " so")
    assert sequence.pictures
    want, shift = theirs.coordinates(turn)
    length = len(sequence.prompt)
    assert np.array_equal(sequence.pictures.coordinates(0, length), want)
    for start in (0, 3, 17, 40, length - 2):  # a chunk from anywhere
        assert np.array_equal(sequence.pictures.coordinates(start, length - start), want[:, start:])
    assert sequence.pictures.shift(length) == shift < 0
    assert (sequence.pictures.coordinates(length, 2) == [length + shift, length + shift + 1]).all()


def test_any_chunks_and_tokens_one_by_one_give_the_same(family: Family) -> None:
    model, theirs = family
    sequence, turn = asked(model, "A ", drawn(200, 60, seed=1), " and ", drawn(60, 220, seed=2), " so")
    assert sequence.pictures
    row = PictureRow(sequence.pictures)
    placed = enumerate(sequence.pictures.placed)
    row.features = {n: vision_of(model).look(one.seen) for n, one in placed}
    want = theirs.logits(turn)
    for sizes in ([7] * 40, [1] * 400, [23, 1, 300]):
        cache, made, done = make_prompt_cache(model.model), [], 0
        for size in sizes:
            if tokens := sequence.prompt[done : done + size]:
                with picture_rows([row], [done]):
                    made.append(model.model(mx.array([tokens]), cache=cache)[0])
            done += size
        assert difference(mx.concatenate(made), want) < 1e-5, sizes[0]


def test_pixels_are_those_of_mlx_vlm(family: Family, kind: str) -> None:
    model, theirs = family
    vision = vision_of(model)
    assert isinstance(vision, Qwen)
    rules = theirs._processor.image_processor
    for width, height in SIZES:
        image = drawn(width, height)
        got = theirs.processed(("user", [image]))
        seen = vision.see(image, b"", "auto")
        grid = np.array(got["image_grid_thw"])[0].tolist()
        assert [1, *(2 * one for one in seen.grid or ())] == grid, image.size
        mean, std = np.float32(rules.image_mean), np.float32(rules.image_std)
        pixels = (seen.views[0].astype(np.float32) * np.float32(1 / 255) - mean) / std
        assert np.array_equal(np.array(vision.patches(mx.array(pixels))), np.array(got["pixel_values"]))


def seen_by(tmp_path: Path, size: tuple[int, int], most: int = 4096, detail: str = "auto") -> Seen:
    folder = make_tiny_qwen(tmp_path / "m", "qwen3_vl")
    config = json.loads((folder / "config.json").read_text())
    rules = {"size": {"shortest_edge": 65536, "longest_edge": 16777216}}
    return Qwen(config, rules, most).see(Image.new("RGB", size), b"", detail)  # type: ignore[arg-type]


def test_a_picture_is_made_smaller_until_it_has_no_more_tokens_than_it_may(tmp_path: Path) -> None:
    assert seen_by(tmp_path, (2048, 1024)).tokens == 64 * 32
    assert seen_by(tmp_path, (2048, 1024), most=200).grid == (10, 20)
    assert seen_by(tmp_path, (2048, 1024), detail="low").tokens <= 256
    assert seen_by(tmp_path, (2048, 1024), detail="low").grid == (11, 22)
    assert seen_by(tmp_path, (2048, 1024), most=100, detail="low").tokens <= 100
    assert seen_by(tmp_path, (20, 10)).tokens >= 64  # it is made larger
    for size in ((50_000, 1), (1, 50_000), (10_000, 30), (40, 40)):
        for most in (9, 64, 256, 4096):
            assert seen_by(tmp_path, size, most=most).tokens <= most, (size, most)


def test_other_sizes_and_other_pictures_have_other_digests(tmp_path: Path) -> None:
    folder = make_tiny_qwen(tmp_path / "m", "qwen3_vl")
    vision, unit = vision_of(loaded(folder)), unit_of("qwen3_vl")
    image = drawn(4 * unit, 2 * unit)
    seen = [
        vision.see(image, b"1", "auto"),
        vision.see(image, b"1", "low"),
        vision.see(image, b"2", "auto"),
        vision.see(image.resize((2 * unit, 4 * unit)), b"1", "auto"),
    ]
    assert len({one.digest for one in seen}) == 3
    assert seen[0].digest == seen[1].digest


def test_a_model_with_stretched_positions_reads_texts_alone(tmp_path: Path) -> None:
    folder = make_tiny_qwen(tmp_path / "m", "qwen3_vl")
    file = folder / "config.json"
    config = json.loads(file.read_text())
    stretched = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512}
    config["text_config"]["rope_scaling"] |= stretched
    file.write_text(json.dumps(config))
    model = loaded(folder)
    assert model.vision is None and model.vocab_size > 0
    assert [one.light for one in model.findings if one.about == "pictures"] == ["amber"]


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl", "qwen3_5"])
def test_the_names_of_mlx_communitys_folders_are_read(tmp_path: Path, name: str) -> None:
    ours, theirs = make_tiny_qwen(tmp_path / "ours", name), make_tiny_qwen(tmp_path / "theirs", name)
    file = theirs / "model.safetensors"
    converted = QwenOfMlxVlm(ours, name).weights
    save_file(converted, str(file), metadata={"format": "mlx"})
    assert {one.split(".")[0] for one in load_file(str(file))} == {"vision_tower", "language_model"}
    assert converted["vision_tower.patch_embed.proj.weight"].shape[2:] == (*2 * (patch_of(name),), 3)
    made = []
    for folder in (ours, theirs):
        model = loaded(folder)
        sequence, _ = asked(model, "See ", drawn(90, 60))
        made.append(np.array(logits_of(model, sequence)))
    assert np.array_equal(made[0], made[1])

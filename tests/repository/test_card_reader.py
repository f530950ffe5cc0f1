"""Cards: what a folder's small files say, and what is wrong with them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.core.model_card import ModelCard
from inference.repository.card_reader import Machine, make_card
from inference.repository.files.safetensors import Tensor, read_tensors
from tests.repository.catalog_scan import change, scan


def problem(folder: Path) -> str:
    return make_card("x", folder, "folder", Machine(dequantises=True)).problem


def test_a_card_says_what_the_small_files_say(put: Callable[..., Path], models: Path) -> None:
    folder = put("tiny")
    card = scan(models)["tiny"]
    assert card.is_servable and (card.family, card.context_length) == ("llama", 2048)
    assert (card.source, card.path) == ("folder", str(folder))
    assert card.created == int((folder / "config.json").stat().st_mtime)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("key", ["model_file", "auto_map"])
def test_a_model_with_code_of_its_own_is_listed_but_not_served(
    put: Callable[..., Path], models: Path, file: str, key: str
) -> None:
    change(put("tiny") / file, **{key: "evil.py"})
    assert scan(models)["tiny"].problem == (
        f"it requires its own code ({key} in {file}), which this server never runs"
    )


def test_code_is_found_where_config_json_is_empty(put: Callable[..., Path], models: Path) -> None:
    folder = put("tiny")
    (folder / "config.json").write_text("{}")
    change(folder / "tokenizer_config.json", model_type="surprise")
    card = scan(models)["tiny"]
    assert card.family == "unknown" and card.problem == "its config.json cannot be read"


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"null", b"{", b"\xff\xfe{", b'"x"'),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="long number"),
    ],
)
def test_garbled_small_files_are_a_problem_not_a_crash(
    put: Callable[..., Path], models: Path, file: str, content: bytes
) -> None:
    put("sound")
    (put("tiny") / file).write_bytes(content)
    cards = scan(models)
    assert cards["tiny"].problem == f"its {file} cannot be read" and cards["sound"].is_servable


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere", "round", "device", "sparse"])
def test_no_kind_of_file_stops_the_scan(put: Callable[..., Path], models: Path, file: str, kind: str) -> None:
    put("sound")
    path = put("tiny") / file
    path.unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "sparse":
            path.touch()
            os.truncate(path, 2**40)
        case _:
            path.symlink_to({"nowhere": "/nowhere", "round": str(path), "device": "/dev/zero"}[kind])
    cards = scan(models)
    assert cards["tiny"].problem and cards["sound"].is_servable


def test_files_that_are_links_are_read(put: Callable[..., Path], models: Path, tmp_path: Path) -> None:
    folder = put("tiny")
    shutil.move(folder / "model.safetensors", tmp_path / "blob")
    (folder / "model.safetensors").symlink_to(tmp_path / "blob")
    assert scan(models)["tiny"].is_servable


@pytest.mark.parametrize("value", [True, "4096", 0, -1, 2**31, 10**300, 1e9, None, [4096], {}])
def test_an_odd_context_length_becomes_the_default(
    put: Callable[..., Path], models: Path, value: Any
) -> None:
    put("tiny", max_position_embeddings=value)
    assert scan(models)["tiny"].context_length == 2048


def test_the_context_length_of_a_model_with_pictures_is_its_texts(
    put: Callable[..., Path], models: Path
) -> None:
    put("tiny", text_config={"max_position_embeddings": 12345})
    put("odd", text_config=[1])
    cards = scan(models)
    assert (cards["tiny"].context_length, cards["odd"].context_length) == (12345, 2048)


def test_a_model_with_a_tower_sees(put: Callable[..., Path]) -> None:
    vision = {"image_size": 56, "patch_size": 14}
    folder = put("tiny", model_type="mistral3", spatial_merge_size=2, vision_config=vision)

    def with_tower(folder: Path) -> list[Tensor]:
        tower = Tensor(name="vision_tower.patch_conv.weight", dtype="F16", shape=(2, 2), bytes=8)
        return [*read_tensors(folder), tower]

    def card(name: str, tensors_of: Callable[[Path], list[Tensor]]) -> ModelCard:
        return make_card(name, folder, "folder", Machine(dequantises=True), tensors_of)

    seeing = card("x", with_tower)
    assert (seeing.sees, seeing.picture_tokens, seeing.picture_token_pixels) == (True, 2 * 3, 28)
    assert not card("x", read_tensors).sees


@pytest.mark.parametrize("value", [None, 7, ["llama"], "x" * 10_000, "\ud800", ""])
def test_an_odd_family_is_shortened_to_something_sayable(
    put: Callable[..., Path], models: Path, value: Any
) -> None:
    put("tiny", model_type=value)
    assert 0 < len(scan(models)["tiny"].family) <= 80


def test_broken_weights_are_the_problem(put: Callable[..., Path], models: Path) -> None:
    os.truncate(put("tiny") / "model.safetensors", 1000)
    card = scan(models)["tiny"]
    assert "cut off" in card.problem and card.resident_bytes == 0


def test_a_config_that_is_gone_by_the_time_it_is_read_is_a_problem(put: Callable[..., Path]) -> None:
    folder = put("tiny")
    (folder / "config.json").unlink()
    assert problem(folder) == "its config.json cannot be read"


def test_a_folder_that_is_gone_by_the_time_it_is_read_is_a_problem(tmp_path: Path) -> None:
    assert problem(tmp_path / "nowhere")


def test_weights_are_counted_as_stored_where_nothing_is_dequantised(
    put: Callable[..., Path], models: Path
) -> None:
    put("tiny")
    card = scan(models, dequantises=False)["tiny"]
    assert card.resident_bytes == int(card.weight_bytes * 1.1)


QUANTISE = """
import json, sys, mlx.core as mx, mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model, quantize_model, save_model
from pathlib import Path
from inference.worker.model.loading import load
from inference.core.protocol import Load
source, target = Path(sys.argv[1]), Path(sys.argv[2])
mx.set_default_device(mx.cpu)
model, config = load_model(source)
mixed = lambda path, layer: {"group_size": 32, "bits": 8} if "embed" in path else "v_proj" not in path
_, config = quantize_model(model, config, 32, 4, quant_predicate=mixed)
save_model(target, model)
(target / "config.json").write_text(json.dumps(config))
model = load(Load(model="x", path=str(target), device="cpu"), lambda progress: None).model
print(sum(array.nbytes for _, array in tree_flatten(model.parameters())))
"""


@pytest.mark.mlx
def test_the_predicted_bytes_of_a_quantised_model_are_what_a_load_takes(
    put: Callable[..., Path], models: Path, tiny: Path
) -> None:
    folder = put("quantised")
    (folder / "model.safetensors").unlink()
    command = [sys.executable, "-c", QUANTISE, str(tiny), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    card = scan(models, dequantises=True)["quantised"]
    assert card.is_servable and card.weight_bytes < card.resident_bytes / 3
    assert card.resident_bytes == int(int(done.stdout.split()[-1]) * 1.1)

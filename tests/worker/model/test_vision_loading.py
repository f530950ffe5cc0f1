"""What a model sees with is found, or said to be missing; texts are answered either way."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from inference.core.protocol import Load
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.model.loading import load
from inference.worker.vision import mlx_vlm_import
from tests.tiny import make_tiny_model
from tests.tiny_vision import NEEDS_MLX_VLM, drawn, make_tiny_pixtral

pytestmark = [pytest.mark.mlx, NEEDS_MLX_VLM]


def loaded(folder: Path, **options: Any) -> LoadedModel:
    return load(Load(model="m", path=str(folder), device="cpu", **options), lambda progress: None)


def finding(model: LoadedModel) -> tuple[str, str] | None:
    found = [(one.light, one.text) for one in model.findings if one.about == "pictures"]
    return found[0] if found else None


def test_a_text_model_says_nothing_of_pictures(tmp_path: Path) -> None:
    model = loaded(make_tiny_model(tmp_path / "text"))
    assert (model.vision, model.blindness, finding(model)) == (None, "", None)


def test_a_picture_has_no_more_tokens_than_the_operator_allows(tmp_path: Path) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    vision = loaded(folder, picture_tokens=9).vision
    assert vision and vision.see(drawn(500, 500), b"", "high").tokens == 9


def without_extra(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(mlx_vlm_import, "is_installed", lambda: False)


def of_another_kind(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("inference.worker.model.vision_loading._FAMILIES", {})


def without_tower(folder: Path, patch: pytest.MonkeyPatch) -> None:
    keep_weights(folder, lambda name: name.startswith("language_model"))


def with_half_a_tower(folder: Path, patch: pytest.MonkeyPatch) -> None:
    keep_weights(folder, lambda name: "feed_forward" not in name)


def with_a_damaged_tower(folder: Path, patch: pytest.MonkeyPatch) -> None:
    weights = load_file(str(folder / "model.safetensors"))
    weights["multi_modal_projector.linear_2.weight"][0, 0] = np.inf
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "mlx"})


def without_the_token(folder: Path, patch: pytest.MonkeyPatch) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"[IMG]"', '"[OTHER]"'))


def without_pictures_in_the_template(folder: Path, patch: pytest.MonkeyPatch) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": "{{ messages[0].content }}"}))


def with_odd_rules(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "preprocessor_config.json").write_text('{"size": "as it likes"}')


def keep_weights(folder: Path, is_kept: Callable[[str], bool]) -> None:
    weights = load_file(str(folder / "model.safetensors"))
    kept = {name: array for name, array in weights.items() if is_kept(name)}
    save_file(kept, str(folder / "model.safetensors"), metadata={"format": "mlx"})


@pytest.mark.parametrize(
    ("change", "light", "text"),
    [
        (without_extra, "amber", "until mlx-vlm is installed: pip install 'mlxsite[vision]'"),
        (of_another_kind, "green", "does not support this kind of vision model yet"),
        (without_tower, "green", "only the weights of a text model"),
        (with_half_a_tower, "amber", "6 of its vision weights are missing"),
        (with_a_damaged_tower, "amber", "damaged"),
        (without_the_token, "amber", r"has no [IMG]"),
        (without_pictures_in_the_template, "amber", "template does not write them"),
        (with_odd_rules, "amber", "cannot be loaded"),
    ],
)
def test_a_model_that_cannot_see_says_why(
    change: Callable[[Path, pytest.MonkeyPatch], None],
    light: str,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make_tiny_pixtral(tmp_path / "m")
    change(folder, monkeypatch)
    model = loaded(folder)
    found = finding(model)
    assert model.vision is None and found
    assert found[0] == light and text in found[1] and text in model.blindness
    assert model.vocab_size > 0  # it was probed, and serves texts

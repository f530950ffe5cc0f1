"""The self-test in its own process, of real folders."""

from pathlib import Path

import pytest

from inference.core.model_card import ModelCard
from inference.pool.workers.self_test import examine
from tests.fakes import card
from tests.tiny import LLAMA_3, make_tiny_model

pytestmark = pytest.mark.mlx


def model(folder: Path, name: str, template: str = LLAMA_3, **changes: str) -> ModelCard:
    make_tiny_model(folder / name, template=template)
    return card(name, path=str(folder / name), **changes)


def test_several_models_are_tried_without_their_weights(tmp_path: Path) -> None:
    sound, broken = model(tmp_path, "sound"), model(tmp_path, "broken", template="{{ 1 / 0 }}")
    (tmp_path / "sound" / "model.safetensors").unlink()
    (tmp_path / "odd").mkdir()
    found = examine([sound, broken, card("odd", path=str(tmp_path / "odd"))])
    assert [one.light for one in found["sound"] if one.about == "chat"] == []
    assert ("chat", "red") in [(one.about, one.light) for one in found["broken"]]
    assert found["odd"][0].text.startswith("It cannot be loaded: ")


def test_the_adapter_that_was_chosen_is_tried(tmp_path: Path) -> None:
    [findings] = examine([model(tmp_path, "tiny", adapter="no-such-adapter")])["tiny"]
    assert findings.light == "red"


def test_a_test_that_does_not_end_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.pool.workers.self_test._START_S", 0.05)
    monkeypatch.setattr("inference.pool.workers.self_test._EACH_S", 0.0)
    assert examine([model(tmp_path, "tiny")]) == {}

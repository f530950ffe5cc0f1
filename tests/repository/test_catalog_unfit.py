"""Folders below the models folder that are no whole models: what each lacks is listed."""

from pathlib import Path

import pytest

from inference.core.model_card import ModelCard
from inference.repository.catalog import Catalog
from tests.tiny import make_tiny_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def scan(models: Path) -> dict[str, ModelCard]:
    return {card.id: card for card in Catalog(models, use_hub_cache=False).scan()}


def test_a_folder_without_a_config_is_no_model(models: Path) -> None:
    (make_tiny_model(models / "tiny") / "config.json").unlink()
    assert scan(models) == {}


@pytest.mark.parametrize(
    ("missing", "instead", "why"),
    [
        ("tokenizer.json", "x", "it has no tokenizer (tokenizer.json or "),
        ("model.safetensors", "model.bin", "it has no weights in the safetensors format"),
        (
            "model.safetensors",
            "model.gguf",
            "its weights are a GGUF file; `python manage.py import_gguf FILE`",
        ),
    ],
)
def test_a_folder_without_one_of_the_parts_says_which(
    models: Path, missing: str, instead: str, why: str
) -> None:
    folder = make_tiny_model(models / "tiny")
    (folder / missing).rename(folder / instead)
    assert scan(models)["tiny"].problem.startswith(why)


def test_the_folders_within_a_model_are_no_models(models: Path) -> None:
    part = make_tiny_model(models / "tiny") / "1_Pooling"
    part.mkdir()
    (part / "config.json").write_text("{}")
    assert list(scan(models)) == ["tiny"]

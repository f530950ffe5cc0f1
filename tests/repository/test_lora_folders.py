"""Adapters beside a model's files: which are found, under which names, and what is said of the others."""

import os
from pathlib import Path

import pytest

from inference.core.model_card import LoraCard, ModelCard, requestable
from inference.repository.catalog import Catalog
from inference.repository.lora_folders import version_of
from tests.loras import DOWN, Q, layers, write_mlx, write_peft
from tests.repository.catalog_scan import Clock, change, scan
from tests.tiny import make_tiny_model
from tests.tiny_vectors import make_tiny_qwen3


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "org" / "tiny")


def loras(models: Path) -> dict[str, LoraCard]:
    return {lora.name: lora for lora in scan(models)["org/tiny"].loras}


def test_each_folder_below_adapters_is_one(tmp_path: Path, model: Path) -> None:
    write_mlx(model / "adapters" / "pirate", layers(Q))
    write_peft(model / "adapters" / "sql.v2", layers(DOWN))
    found = loras(tmp_path)
    assert [(lora.name, lora.problem) for lora in found.values()] == [("pirate", ""), ("sql.v2", "")]
    assert all(lora.weight_bytes and lora.resident_bytes and lora.created for lora in found.values())
    assert [card.id for card in requestable(scan(tmp_path).values())] == [
        "org/tiny",
        "org/tiny:pirate",
        "org/tiny:sql.v2",
    ]


def test_a_model_without_adapters_has_none(tmp_path: Path, model: Path) -> None:
    assert loras(tmp_path) == {}
    (model / "adapters").mkdir()
    assert loras(tmp_path) == {}
    (model / "adapters" / "a file").write_text("")
    assert loras(tmp_path) == {}


def test_no_adapter_is_taken_for_a_model(tmp_path: Path, model: Path) -> None:
    whole = make_tiny_model(model / "adapters" / "whole")
    write_mlx(whole, layers(Q))
    assert list(scan(tmp_path)) == ["org/tiny"]


def test_a_folder_of_models_may_be_called_adapters(tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "adapters" / "tiny")
    assert list(scan(tmp_path)) == ["adapters/tiny"]


@pytest.mark.parametrize("name", ["a b", "a:b", "latest", "ä", "x" * 65, "-x"])
def test_names_that_no_id_can_have(tmp_path: Path, model: Path, name: str) -> None:
    write_mlx(model / "adapters" / name, layers(Q))
    assert loras(tmp_path)[name].problem
    assert [card.id for card in requestable(scan(tmp_path).values())] == ["org/tiny"]


@pytest.mark.parametrize("name", [".draft", "x.partial"])
def test_drafts_are_not_read(tmp_path: Path, model: Path, name: str) -> None:
    write_mlx(model / "adapters" / name, layers(Q))
    assert loras(tmp_path) == {}


def test_a_broken_adapter_harms_no_other(tmp_path: Path, model: Path) -> None:
    write_mlx(model / "adapters" / "good", layers(Q))
    (model / "adapters" / "empty").mkdir()
    write_mlx(model / "adapters" / "foreign", {"model.layers.0.self_attn.q_proj": (96, 64)})
    found = loras(tmp_path)
    assert not found["good"].problem
    assert found["empty"].problem == "it has no adapter_config.json"
    assert "belongs to another model" in found["foreign"].problem
    assert not scan(tmp_path)["org/tiny"].problem


def test_links_are_followed_and_one_to_nowhere_is_named(tmp_path: Path, model: Path) -> None:
    there = write_mlx(tmp_path.with_name(f"{tmp_path.name}-elsewhere") / "pirate", layers(Q))
    (model / "adapters").mkdir()
    (model / "adapters" / "linked").symlink_to(there)
    (model / "adapters" / "lost").symlink_to(there / "nowhere")
    found = loras(tmp_path)
    assert not found["linked"].problem
    assert found["lost"].problem == "it is a link to a folder that is not there"


def test_a_model_has_no_more_than_64(tmp_path: Path, model: Path) -> None:
    source = write_mlx(tmp_path.with_name(f"{tmp_path.name}-elsewhere"), layers(Q))
    (model / "adapters").mkdir()
    for number in range(65):
        (model / "adapters" / f"a{number:02}").symlink_to(source)
    assert [name for name, lora in loras(tmp_path).items() if lora.problem] == ["a64"]


def test_models_without_text_have_none(tmp_path: Path) -> None:
    folder = make_tiny_qwen3(tmp_path / "embedder")
    write_mlx(folder / "adapters" / "x", layers(Q))
    (lora,) = scan(tmp_path)["embedder"].loras
    assert "generates no text" in lora.problem


def test_changes_are_seen_at_the_next_scan(tmp_path: Path, model: Path) -> None:
    clock = Clock()
    catalog = Catalog(tmp_path, use_hub_cache=False, clock=clock, timeout_s=5)

    def card() -> ModelCard:
        clock.now += 2
        found = catalog.find("org/tiny")
        assert found
        return found

    assert card().loras == ()
    folder = write_mlx(model / "adapters" / "pirate", layers(Q))
    (first,) = card().loras
    os.utime(folder / "adapters.safetensors", ns=(1, 1))
    (second,) = card().loras
    assert first.version != second.version
    change(folder / "adapter_config.json", fine_tune_type="full")
    assert card().loras[0].problem
    (folder / "adapter_config.json").unlink()
    assert card().loras[0].problem == "it has no adapter_config.json"


def test_the_version_is_the_same_in_every_process(tmp_path: Path, model: Path) -> None:
    folder = write_mlx(model / "adapters" / "pirate", layers(Q))
    for path in folder.iterdir():
        path.write_bytes(b"{}")
        os.utime(path, ns=(1, 1))
    assert version_of(folder) == "c8c5e144137e10e1"


def test_ids_with_an_adapter_find_their_model(tmp_path: Path, model: Path) -> None:
    write_mlx(model / "adapters" / "pirate", layers(Q))
    catalog = Catalog(tmp_path, use_hub_cache=False)
    for name in ("org/tiny:pirate", "org/tiny:pirate:latest"):
        card = catalog.find(name)
        assert card and card.id == "org/tiny"
        lora = card.variant_of(name)
        assert lora and lora.name == "pirate"
        variant = card.requested_as(name)
        assert variant and (variant.id, variant.resident_id) == ("org/tiny:pirate", "org/tiny")
    for name in ("org/tiny", "org/tiny:latest"):
        card = catalog.find(name)
        assert card and card.variant_of(name) is None
    for name in ("org/tiny:none", "org/tiny:", ":pirate", "org/tiny:../pirate", "org/tiny:pirate:x"):
        assert catalog.find(name) is None
    assert catalog.exact("org/tiny:pirate") is None

"""The catalog and the Hugging Face cache."""

import os
import shutil
from pathlib import Path

import pytest

from inference.repository.catalog import Catalog
from inference.repository.files import folder_tree
from inference.repository.hub_cache import snapshots
from tests.repository.catalog_scan import Clock, scan
from tests.tiny import make_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def cached(cache: Path, repo: str, tiny: Path, revision: str = "a" * 40, kind: str = "models") -> Path:
    """The layout of https://huggingface.co/docs/huggingface_hub/guides/manage-cache."""
    base = cache / f"{kind}--{repo.replace('/', '--')}"
    snapshot = base / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (base / "refs").mkdir(exist_ok=True)
    (base / "refs" / "main").write_text(revision)
    (base / "blobs").mkdir(exist_ok=True)
    for file in tiny.iterdir():
        blob = base / "blobs" / f"{revision[:4]}{file.name}"
        shutil.copy(file, blob)
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return snapshot


def test_models_in_the_hub_cache_are_listed(models: Path, tmp_path: Path, tiny: Path) -> None:
    snapshot = cached(tmp_path / "hub", "org/model", tiny)
    cached(tmp_path / "hub", "org/data", tiny, kind="datasets")
    cards = scan(models, use_hub_cache=True, hub_cache=tmp_path / "hub")
    assert list(cards) == ["org/model"]
    assert cards["org/model"].is_servable and cards["org/model"].source == "hub"
    assert cards["org/model"].path == str(snapshot)


def test_the_newest_whole_snapshot_counts(models: Path, tmp_path: Path, tiny: Path) -> None:
    whole = cached(tmp_path / "hub", "org/model", tiny, "a" * 40)
    half = cached(tmp_path / "hub", "org/model", tiny, "b" * 40)
    (half / "model.safetensors").unlink()
    for repo in ("org/model", "org/only"):  # being downloaded: a shard is still to come
        index = cached(tmp_path / "hub", repo, tiny, "c" * 40) / "model.safetensors.index.json"
        index.write_text('{"weight_map": {"a": "model-00002-of-00002.safetensors"}}')
    cards = scan(models, use_hub_cache=True, hub_cache=tmp_path / "hub")
    assert {name: card.path for name, card in cards.items()} == {"org/model": str(whole)}


def test_a_snapshot_whose_blob_is_gone_has_a_problem(models: Path, tmp_path: Path, tiny: Path) -> None:
    snapshot = cached(tmp_path / "hub", "org/model", tiny)
    (snapshot / "config.json").resolve().unlink()
    assert not any(
        card.is_servable for card in scan(models, use_hub_cache=True, hub_cache=tmp_path / "hub").values()
    )


def test_a_folder_wins_over_a_cached_model_of_its_name(models: Path, tmp_path: Path, tiny: Path) -> None:
    shutil.copytree(tiny, models / "org" / "model")
    cached(tmp_path / "hub", "org/model", tiny)
    cards = scan(models, use_hub_cache=True, hub_cache=tmp_path / "hub")
    assert [card.source for card in cards.values()] == ["folder"]


def test_a_cache_that_is_absent_garbled_or_a_file_is_no_models(models: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "garbled" / "models--").mkdir(parents=True)
    (tmp_path / "garbled" / "models--org--m" / "snapshots").mkdir(parents=True)
    for cache in ("absent", "file", "garbled"):
        assert scan(models, use_hub_cache=True, hub_cache=tmp_path / cache) == {}


def test_the_cache_is_not_looked_at_when_not_wanted(models: Path, tmp_path: Path, tiny: Path) -> None:
    cached(tmp_path / "hub", "org/model", tiny)
    assert scan(models, use_hub_cache=False, hub_cache=tmp_path / "hub") == {}


def test_a_repository_that_is_cleared_away_costs_only_itself(
    models: Path, tmp_path: Path, tiny: Path
) -> None:
    for name in ("a", "b", "c"):
        cached(tmp_path / "hub", f"org/{name}", tiny)
    found = snapshots(tmp_path / "hub")
    names = [next(found).name]
    shutil.rmtree(tmp_path / "hub" / "models--org--b")
    assert [*names, *(place.name for place in found)] == ["org/a", "org/c"]


def test_a_revision_that_was_only_begun_hides_no_other(models: Path, tmp_path: Path, tiny: Path) -> None:
    cached(tmp_path / "hub", "org/model", tiny)
    refs = tmp_path / "hub" / "models--org--model" / "refs" / "main"
    refs.write_text("f" * 40)  # as it is before the first file of a new revision has come
    assert scan(models, use_hub_cache=True, hub_cache=tmp_path / "hub")["org/model"].is_servable


def test_a_cache_that_cannot_be_read_for_a_moment_keeps_its_models(
    models: Path, tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached(tmp_path / "hub", "org/model", tiny)
    clock = Clock()
    catalog = Catalog(models, use_hub_cache=True, hub_cache=tmp_path / "hub", clock=clock)
    assert catalog.find("org/model")

    def fail(path: Path) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(folder_tree, "entries", fail)
    clock.now += 30
    assert catalog.find("org/model")

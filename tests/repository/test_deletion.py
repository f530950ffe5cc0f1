"""What deleting a model deletes, and what it leaves to others."""

import os
from pathlib import Path

import msgspec
import pytest

from inference.core.model_card import LoraCard, ModelCard
from inference.core.quantisation import JOB_FILE, QuantisationJob, QuantisationSettings
from inference.repository import deletion
from inference.repository.files import staging
from tests.fakes import card
from tests.tiny import make_tiny_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "elsewhere" / "tiny")


def card_of(path: Path) -> ModelCard:
    return card("tiny", path=str(path), weight_bytes=363_776)


def test_a_models_folder_goes_whole(models: Path) -> None:
    folder = make_tiny_model(models / "org" / "tiny")
    kept = make_tiny_model(models / "org" / "other")
    done = deletion.remove(card_of(folder), models)
    assert not folder.exists() and kept.exists()
    assert [entry.name for entry in folder.parent.iterdir()] == ["other"]
    assert (done.bytes, done.done) == (363_776, "The files of tiny were deleted.")


@pytest.mark.parametrize("source", ["hub", "folder"])
def test_what_lies_elsewhere_stays(models: Path, elsewhere: Path, source: str) -> None:
    with pytest.raises(deletion.NotOurs, match="not in the models folder"):
        deletion.remove(card("tiny", path=str(elsewhere), source=source), models)
    assert (elsewhere / "config.json").exists()


@pytest.mark.parametrize("name", ["tiny", "org/tiny"])
def test_of_a_link_the_link_goes_and_the_files_stay(models: Path, elsewhere: Path, name: str) -> None:
    link = models / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    planned = deletion.plan(card_of(link), models)
    assert (planned.is_link, planned.bytes) == (True, 0)
    assert deletion.remove(card_of(link), models).done.endswith("the files that it led to are still there.")
    assert not link.is_symlink() and (elsewhere / "model.safetensors").exists()


@pytest.mark.parametrize("target", ["/nowhere", "tiny", ".."])
def test_a_link_that_leads_to_no_model_goes_too(models: Path, target: str) -> None:
    link = models / "tiny"
    link.symlink_to(target)
    deletion.remove(card_of(link), models)
    assert list(models.iterdir()) == [] and models.exists()


def test_nothing_goes_through_a_link_above(models: Path, elsewhere: Path) -> None:
    (models / "other").symlink_to(elsewhere.parent)
    with pytest.raises(deletion.NotOurs, match="is inside the link other, .* or remove the link"):
        deletion.remove(card_of(models / "other" / "tiny"), models)
    assert (elsewhere / "config.json").exists() and (models / "other").is_symlink()


def test_a_link_to_a_folder_of_the_models_folder_itself_is_one_too(models: Path) -> None:
    folder = make_tiny_model(models / "org" / "tiny")
    (models / "alias").symlink_to(models / "org")
    with pytest.raises(deletion.NotOurs, match="inside the link alias"):
        deletion.remove(card_of(models / "alias" / "tiny"), models)
    assert folder.exists()


def test_the_models_folder_may_be_a_link_itself(tmp_path: Path, models: Path) -> None:
    folder = make_tiny_model(models / "tiny")
    (tmp_path / "linked").symlink_to(models)
    deletion.remove(card_of(tmp_path / "linked" / "tiny"), tmp_path / "linked")
    assert not folder.exists() and (tmp_path / "linked").is_symlink()


def test_links_within_a_model_go_and_what_they_lead_to_stays(models: Path, elsewhere: Path) -> None:
    folder = make_tiny_model(models / "tiny")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(elsewhere / "model.safetensors")
    (folder / "more").symlink_to(elsewhere)
    planned = deletion.plan(card_of(folder), models)
    assert (planned.is_link, planned.bytes, planned.keeps_files) == (False, 0, True)
    deletion.remove(card_of(folder), models)
    assert not folder.exists() and (elsewhere / "model.safetensors").exists()


def test_files_with_another_name_free_nothing(models: Path, elsewhere: Path) -> None:
    folder = make_tiny_model(models / "tiny")
    (folder / "model.safetensors").unlink()
    os.link(elsewhere / "model.safetensors", folder / "model.safetensors")
    assert deletion.remove(card_of(folder), models).bytes == 0
    assert (elsewhere / "model.safetensors").exists()


def test_the_adapters_in_a_models_folder_go_with_it_and_linked_ones_stay(
    models: Path, elsewhere: Path
) -> None:
    folder = make_tiny_model(models / "tiny")
    own, linked = folder / "adapters" / "own", folder / "adapters" / "linked"
    own.mkdir(parents=True)
    (own / "adapters.safetensors").write_bytes(b"x" * 1000)
    linked.symlink_to(elsewhere)
    loras = tuple(LoraCard(name=path.name, path=str(path), weight_bytes=1000) for path in (own, linked))
    done = deletion.remove(card("tiny", path=str(folder), weight_bytes=363_776, loras=loras), models)
    assert not folder.exists() and (elsewhere / "config.json").exists()
    assert done.done == "The files of tiny and of its adapters own, linked were deleted."
    assert done.bytes + linked_size(elsewhere) >= 363_776 and done.bytes <= 364_776


def linked_size(folder: Path) -> int:
    """What the entry of a link to a folder may count as."""
    return folder.stat().st_size


@pytest.mark.parametrize("is_link", [False, True])
def test_a_model_of_which_another_is_made_stays(models: Path, elsewhere: Path, is_link: bool) -> None:
    folder = models / "tiny"
    if is_link:
        folder.symlink_to(elsewhere)
    else:
        make_tiny_model(folder)
    other = make_tiny_model(models / "other")
    job = QuantisationJob(
        source="tiny",
        source_path=str(folder),
        name="org/small",
        target_path=str(models / "org" / "small"),
        settings=QuantisationSettings(bits=4),
        needed_disk_bytes=1,
    )
    (models / "org").mkdir()
    with staging.staged(models / "org" / "small", keeps_draft=True) as draft:
        (draft / JOB_FILE).write_bytes(msgspec.json.encode(job))
        with pytest.raises(deletion.InUse, match="is being quantised to org/small; wait for that, or cancel"):
            deletion.remove(card_of(folder), models)
        assert (folder / "config.json").exists()
        deletion.remove(card_of(other), models)
        (draft / JOB_FILE).write_bytes(b"{")  # one that is not written whole yet names no model
        deletion.plan(card_of(folder), models)
    deletion.remove(card_of(folder), models)
    assert not folder.exists()

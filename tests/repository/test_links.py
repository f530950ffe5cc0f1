"""Links in the models folder lead to others' files: nothing is written or deleted through them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.repository.downloads.errors import BehindLink, FetchFailed, ThereAlready
from inference.repository.downloads.hub import download
from inference.repository.downloads.register import Downloads
from inference.repository.files.staging import draft_of, staged
from inference.repository.gguf_import import ImportRefused, import_gguf
from tests.gguf_files import tiny_weights, write_gguf
from tests.repository.hub import REPO, FakeHub, contents

OWNER, NAME = REPO.split("/")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another program's folder."""
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def online(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)


@pytest.fixture
def downloads(models: Path) -> Iterator[Downloads]:
    downloads = Downloads(models, on_done=lambda: None)
    yield downloads
    downloads.close()


def test_an_owner_that_is_a_link_is_not_downloaded_into(
    downloads: Downloads, models: Path, other: Path
) -> None:
    (models / OWNER).symlink_to(other)
    with pytest.raises(BehindLink, match=f"{OWNER} in the models folder is a link, and nothing is written"):
        download(REPO, models / REPO, lambda progress: None)
    with pytest.raises(BehindLink):
        downloads.start(REPO)
    assert list(other.iterdir()) == [] and downloads.all() == ()


@pytest.mark.parametrize("target", ["/nowhere", "../other", "itself"])
def test_a_name_that_is_a_link_is_taken(downloads: Downloads, models: Path, other: Path, target: str) -> None:
    (models / OWNER).mkdir()
    (models / REPO).symlink_to(target)
    with pytest.raises(ThereAlready):
        download(REPO, models / REPO, lambda progress: None)
    with pytest.raises(ThereAlready):
        downloads.start(REPO)
    with pytest.raises(FileExistsError), staged(models / REPO):
        raise AssertionError("never entered")
    assert list(other.iterdir()) == [] and (models / REPO).is_symlink()


def test_a_models_folder_that_is_a_link_is_downloaded_into(tmp_path: Path, models: Path) -> None:
    (tmp_path / "linked").symlink_to(models)
    download(REPO, tmp_path / "linked" / REPO, lambda progress: None)
    assert "model.safetensors" in contents(models / REPO)


def test_what_others_have_begun_behind_a_link_is_theirs(
    downloads: Downloads, models: Path, other: Path
) -> None:
    begun = draft_of(other / NAME)
    begun.mkdir()
    (begun / "file").touch()
    (models / OWNER).symlink_to(other)
    (models / f".{NAME}.partial").symlink_to(begun)
    assert downloads.all() == ()
    for name in (REPO, NAME):
        with pytest.raises(FetchFailed):
            downloads.discard(name)
    assert (begun / "file").exists()


def test_a_draft_that_is_a_link_is_not_filled(models: Path, other: Path) -> None:
    (models / OWNER).mkdir()
    draft_of(models / REPO).symlink_to(other)
    with pytest.raises(FetchFailed):
        download(REPO, models / REPO, lambda progress: None)
    assert list(other.iterdir()) == []


def test_an_import_does_not_take_the_name_of_a_link(models: Path, other: Path) -> None:
    source = write_gguf(other / "model.gguf", tiny_weights(other / "weights"))
    (models / "imported").symlink_to(other / "gone")
    with pytest.raises(ImportRefused, match="There is a model named imported already"):
        import_gguf(source, models / "imported")
    assert not os.path.lexists(other / "gone")

from pathlib import Path

import pytest

from inference.sources import removal
from tests.fakes import card
from tests.tiny import make_tiny_model


def test_a_models_folder_goes_whole(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "models" / "org" / "tiny")
    kept = make_tiny_model(tmp_path / "models" / "org" / "other")
    removal.remove(card("org/tiny", path=str(folder)), tmp_path / "models")
    assert not folder.exists() and kept.exists()
    assert [entry.name for entry in folder.parent.iterdir()] == ["other"]


@pytest.mark.parametrize("source", ["hub", "folder"])
def test_what_lies_elsewhere_or_behind_a_link_stays(tmp_path: Path, source: str) -> None:
    folder = make_tiny_model(tmp_path / "elsewhere")
    (tmp_path / "models").mkdir()
    link = tmp_path / "models" / "tiny"
    link.symlink_to(folder)
    for path in (folder, link):
        with pytest.raises(removal.NotOurs, match="not in the models folder"):
            removal.remove(card("tiny", path=str(path), source=source), tmp_path / "models")
    assert (folder / "config.json").exists()

"""The commands about models on disk: listing, fetching, importing, removing."""

import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from inference.core.config import Config
from inference.core.profile import Profile
from inference.repository.catalog import Catalog
from inference.serving import runtime
from tests.fakes import FakeRunner, card, fake_pool, serving
from tests.loras import Q, layers, write_mlx
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "models"
    folder.mkdir()
    catalog = Catalog(folder, use_hub_cache=False)
    config = Config(models_dir=folder, use_hub_cache=False, port=9)  # where no site runs
    with override_settings(CONFIG=config), runtime.use_pool(fake_pool([]), models=catalog):
        yield folder


def run(command: str, *args: str, **options: Any) -> str:
    printed = StringIO()
    call_command(command, *args, stdout=printed, stderr=StringIO(), **options)
    return printed.getvalue()


def test_models_are_a_table(models: Path) -> None:
    make_tiny_model(models / "org" / "tiny")
    head, row = run("models").splitlines()
    assert head.split() == ["MODEL", "KIND", "FAMILY", "SIZE", "CONTEXT"]
    assert row.split() == ["org/tiny", "chat", "llama", "0.0", "GB", "2,048"]


def test_models_are_json(models: Path) -> None:
    make_tiny_model(models / "tiny")
    (card,) = json.loads(run("models", "--json"))
    assert (card["id"], card["kind"], card["problem"]) == ("tiny", "chat", "")


def test_what_cannot_be_served_says_why(models: Path) -> None:
    config = make_tiny_model(models / "tiny") / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"auto_map": {"AutoModel": "x.Y"}}))
    assert "cannot be served" in run("models")


def test_an_empty_folder_says_what_to_do(models: Path) -> None:
    assert "manage.py pull" in run("models")


def test_a_model_is_removed_once_its_name_was_typed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny_model(models / "tiny")
    monkeypatch.setattr("builtins.input", lambda: "tiny")
    assert "was deleted" in run("remove", "tiny")
    assert list(models.iterdir()) == []


def test_a_wrong_name_deletes_nothing(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny_model(models / "tiny")
    monkeypatch.setattr("builtins.input", lambda: "y")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        run("remove", "tiny")
    assert (models / "tiny" / "config.json").exists()


def test_where_nobody_can_type_yes_is_an_error(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny_model(models / "tiny")
    with open(os.devnull) as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(CommandError, match="Nothing was deleted: .* --yes"):
            run("remove", "tiny")
    assert (models / "tiny" / "config.json").exists()


def test_what_is_not_there_is_not_removed(models: Path) -> None:
    with pytest.raises(CommandError, match="There is no model"):
        run("remove", "nobody", "--yes")


def test_of_a_link_the_link_is_removed_and_the_files_stay(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_model(tmp_path / "elsewhere")
    (models / "tiny").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr("builtins.input", lambda: "tiny")
    output = run("remove", "tiny")
    assert "the files that it leads to stay where they are. Type tiny to confirm:" in output
    assert output.endswith("The link tiny was removed; the files that it led to are still there.\n")
    assert (tmp_path / "elsewhere" / "config.json").exists() and list(models.iterdir()) == []


def test_what_lies_behind_a_link_is_not_removed(models: Path, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "other" / "tiny")
    (models / "other").symlink_to(tmp_path / "other")
    with pytest.raises(CommandError, match="other/tiny is inside the link other, so this site does not"):
        run("remove", "other/tiny", "--yes")
    assert (tmp_path / "other" / "tiny" / "config.json").exists()


def test_links_are_listed_with_why_they_lead_to_no_model(models: Path, tmp_path: Path) -> None:
    make_tiny_model(tmp_path / "elsewhere")
    for name, target in (("fine", "../elsewhere"), ("lost", "/nowhere"), ("round", ".")):
        (models / name).symlink_to(target)
    _, fine, lost, back = run("models").splitlines()
    assert fine.startswith("fine  ") and "cannot be served" not in fine
    assert lost.endswith("cannot be served: it is a link to a folder that is not there")
    assert back.endswith("cannot be served: it is a link that leads back to a folder above it")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *[(name, "exact id") for name in ("tiny", "../x/y", "a/b/c", "a/..", "")],
        ("https://huggingface.co/a/b", "Leave out https://huggingface.co/: a/b"),
    ],
)
def test_only_an_id_is_pulled(models: Path, name: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run("pull", name)


def test_what_is_there_is_not_pulled(models: Path) -> None:
    make_tiny_model(models / "org" / "tiny")
    with pytest.raises(CommandError, match="already exists"):
        run("pull", "org/tiny")


def test_a_hub_that_cannot_be_reached_is_reported(models: Path) -> None:
    with pytest.raises(CommandError, match="HF_HUB_OFFLINE is set"):  # as it is for all tests
        run("pull", "org/tiny")
    assert list(models.iterdir()) == []


def test_a_file_that_is_no_gguf_is_refused_by_name(models: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.gguf").write_text("no")
    with pytest.raises(CommandError):
        run("import_gguf", str(tmp_path / "notes.gguf"))
    with pytest.raises(CommandError, match="There is no file"):
        run("import_gguf", str(tmp_path / "nothing.gguf"))
    with pytest.raises(CommandError, match="--name"):
        run("import_gguf", str(tmp_path / "notes.gguf"), "--name", "../x")
    assert list(models.iterdir()) == []


def test_adapters_are_listed_behind_their_model_with_what_is_wrong(models: Path) -> None:
    folder = make_tiny_model(models / "tiny")
    write_mlx(folder / "adapters" / "pirate", layers(Q))
    (folder / "adapters" / "empty").mkdir()
    lines = run("models").splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["tiny", "tiny:empty", "tiny:pirate"]
    assert lines[2].endswith("cannot be used: it has no adapter_config.json")
    assert lines[3].split()[1] == "adapter" and "cannot" not in lines[3]


def test_profiles_have_rows_of_their_own() -> None:
    with serving(FakeRunner(), cards=[card("tiny", profiles=(Profile(name="terse"),))]):
        lines = run("models").splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["tiny", "chat"], ["tiny:terse", "profile"]]

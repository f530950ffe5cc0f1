import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.repository.catalog import Catalog
from tests.repository.catalog_scan import Clock, change, scan


def test_nested_folders_are_named_by_their_path_in_order(put: Callable[..., Path], models: Path) -> None:
    for name in ("b", "a/x", "a/b/c/d", "a/b/c/d/too-deep"):
        put(name)
    assert list(scan(models)) == ["a/b/c/d", "a/x", "b"]


def test_hidden_and_unfinished_folders_are_not_models(put: Callable[..., Path], models: Path) -> None:
    for name in (".hidden", ".tiny.partial", "tiny.partial", ".starter-x/tiny", "group/.git/tiny"):
        put(name)
    assert scan(models) == {}


def test_a_models_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert scan(tmp_path / "nowhere") == {} and scan(tmp_path / "file") == {}


@pytest.mark.parametrize(
    "model_id",
    [
        *("../made/tiny", "./tiny", "tiny/", "/tiny", "tiny/../tiny", "/etc", "", ".", "..", "tiny\0", "\0"),
        *("a" * 5000, "..\N{FRACTION SLASH}tiny", "\N{FULLWIDTH SOLIDUS}etc", "..\\tiny", "TINY", "\ud800"),
    ],
)
def test_an_id_is_looked_up_never_walked(put: Callable[..., Path], models: Path, model_id: str) -> None:
    put("tiny")
    catalog = Catalog(models, use_hub_cache=False)
    assert catalog.find(model_id) is None and catalog.find("tiny")


def test_a_folder_appears_and_goes_within_two_seconds(put: Callable[..., Path], models: Path) -> None:
    clock = Clock()
    catalog = Catalog(models, use_hub_cache=False, clock=clock)
    assert catalog.scan() == ()
    folder = put("tiny")
    clock.now += 1.5
    assert catalog.find("tiny")
    shutil.rmtree(folder)
    clock.now += 1.5
    assert catalog.find("tiny") is None


def test_the_disk_is_left_alone_within_a_second(put: Callable[..., Path], models: Path) -> None:
    clock = Clock()
    catalog = Catalog(models, use_hub_cache=False, clock=clock)
    catalog.scan()
    put("tiny")
    clock.now += 0.9
    assert catalog.scan() == ()


def test_a_changed_file_makes_a_new_card_and_an_unchanged_one_does_not(
    put: Callable[..., Path], models: Path
) -> None:
    clock = Clock()
    catalog = Catalog(models, use_hub_cache=False, clock=clock)
    folder = put("tiny")
    before = catalog.find("tiny")
    clock.now += 2
    assert catalog.find("tiny") is before
    change(folder / "config.json", max_position_embeddings=77)
    clock.now += 2
    after = catalog.find("tiny")
    assert after and after.context_length == 77


def test_a_name_that_cannot_be_printed_is_not_listed(put: Callable[..., Path], models: Path) -> None:
    put("sound")
    os.rename(put("other"), os.fsencode(models) + b"/\xff\xfe")
    os.link(put("shard") / "model.safetensors", os.fsencode(models) + b"/shard/model\xff.safetensors")
    (models / "shard" / "model.safetensors").unlink()
    assert list(scan(models)) == ["shard", "sound"]


def test_it_can_be_asked_from_many_threads_while_folders_come_and_go(
    put: Callable[..., Path], models: Path
) -> None:
    put("stays")
    coming = Path(shutil.copytree(models / "stays", models.parent / "coming"))
    clock = Clock()
    catalog = Catalog(models, use_hub_cache=False, clock=clock)
    answers: list[bool] = []

    def ask() -> None:
        for _ in range(150):
            clock.now += 2
            answers.append(catalog.find("stays") is not None and len(catalog.scan()) in {1, 2})

    def move() -> None:
        for _ in range(300):
            coming.rename(models / "comes")
            (models / "comes").rename(coming)

    threads = [threading.Thread(target=ask) for _ in range(4)] + [threading.Thread(target=move)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 600

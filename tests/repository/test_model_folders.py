"""Where models are looked for: in real folders, and behind links to folders of other programs."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from inference.core.model_card import ModelCard
from inference.repository.catalog import Catalog
from inference.repository.model_folders import places
from tests.repository.test_hub_cache import cached
from tests.tiny import make_tiny_model

NOWHERE = "it is a link to a folder that is not there"
BACK = "it is a link that leads back to a folder above it"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "site" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def store(tmp_path: Path, tiny: Path) -> Path:
    """Another program's folder: ORG/NAME, as LM Studio has it, hidden in somebody's home."""
    folder = tmp_path / ".other" / "models"
    for name in ("org/one", "org/two", "lab/three"):
        shutil.copytree(tiny, folder / name)
    return folder


def scan(models: Path) -> dict[str, ModelCard]:
    return {card.id: card for card in Catalog(models, use_hub_cache=False).scan()}


def problems(models: Path) -> dict[str, str]:
    """Every name that is listed, with why it cannot be served."""
    return {name: card.problem for name, card in scan(models).items()}


def link(path: Path, target: "Path | str") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def test_a_linked_model_is_served_from_where_it_is(models: Path, tiny: Path) -> None:
    link(models / "mine", tiny)
    link(models / "org" / "mine", tiny)
    cards = scan(models)
    assert list(cards) == ["mine", "org/mine"] and all(card.is_servable for card in cards.values())
    assert cards["mine"].path == str(models / "mine") and cards["mine"].weight_bytes > 0


def test_a_linked_folder_of_models_is_looked_through(models: Path, store: Path) -> None:
    link(models / "other", store)
    link(models / "lab", store / "lab")
    assert problems(models) == {
        **{"lab/three": "", "other/org/one": "", "other/org/two": ""},
        "other/lab": "it is the same folder as lab",
    }


def test_a_link_to_a_link_and_a_relative_one_are_links_all_the_same(models: Path, tiny: Path) -> None:
    link(models / "first", tiny)
    link(models / "second", models / "first")
    link(models / "third", "second")
    assert problems(models) == {"first": "", "second": "", "third": ""}


def test_a_link_into_the_hub_cache_is_served(models: Path, tiny: Path, tmp_path: Path) -> None:
    link(models / "cached", cached(tmp_path / "hub", "org/model", tiny))
    assert problems(models) == {"cached": ""}


def test_the_models_folder_may_be_a_link_itself(models: Path, store: Path, tiny: Path) -> None:
    link(models.parent / "linked", store)
    assert list(problems(models.parent / "linked")) == ["lab/three", "org/one", "org/two"]


@pytest.mark.parametrize("target", ["/nowhere", "../gone", "itself", "a/folder/in/nothing"])
def test_a_link_to_nowhere_is_listed_with_its_reason(models: Path, target: str) -> None:
    link(models / "org" / "lost", target)
    assert problems(models) == {"org/lost": NOWHERE}


def test_a_link_to_itself_is_listed_with_its_reason(models: Path) -> None:
    link(models / "round", "round")
    link(models / "ping", "pong")
    link(models / "pong", "ping")
    assert (
        set(problems(models).values()) == {"it is a link that leads to itself"} and len(problems(models)) == 3
    )


@pytest.mark.parametrize("up", ["", "..", "../..", "/"])
def test_a_link_that_leads_back_is_listed_with_its_reason(models: Path, tiny: Path, up: str) -> None:
    shutil.copytree(tiny, models / "org" / "real")
    link(models / "org" / "back", models / up)
    assert problems(models) == {"org/back": BACK, "org/real": ""}


def test_links_that_lead_into_each_other_end(models: Path, tmp_path: Path, tiny: Path) -> None:
    for name in "abcdefgh":
        folder = tmp_path / name
        folder.mkdir()
        link(models / name, folder)
        for other in "abcdefgh":
            link(folder / other, tmp_path / other)
    shutil.copytree(tiny, tmp_path / "h" / "model")
    found = problems(models)
    assert found["h/model"] == "" and len(found) < 200
    assert sum(not problem for problem in found.values()) == 1


def test_a_model_with_two_links_has_two_names_and_a_folder_of_models_one(models: Path, store: Path) -> None:
    link(models / "a", store / "org")
    link(models / "b", store / "org")
    link(models / "c", store / "org" / "one")
    same = "it is the same folder as a"
    assert problems(models) == {"a/one": "", "a/two": "", "b": same, "c": ""}


def test_what_is_really_there_keeps_its_name_whatever_links_to_it(models: Path, tiny: Path) -> None:
    shutil.copytree(tiny, models / "real" / "one")
    link(models / "alias", models / "real")
    assert problems(models) == {"alias": "it is the same folder as real", "real/one": ""}


def test_a_link_to_a_file_is_no_model(models: Path, tiny: Path) -> None:
    link(models / "weights", tiny / "model.safetensors")
    link(models / "org" / "pipe", "/dev/null")
    assert set(problems(models).values()) == {"it is a link to a file, and a model is a folder"}


def test_the_links_among_a_models_files_are_no_models(models: Path, tiny: Path) -> None:
    shutil.copytree(tiny, models / "tiny")
    link(models / "tiny" / "more", tiny)
    link(models / "tiny" / "lost", "/nowhere")
    assert list(problems(models)) == ["tiny"]


def test_a_link_to_a_folder_without_a_model_says_so(models: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    link(models / "empty", tmp_path / "empty")
    assert problems(models) == {"empty": "it is a link to a folder without a model in it"}


def test_a_link_to_half_a_model_says_what_it_lacks(models: Path, tmp_path: Path, tiny: Path) -> None:
    (Path(shutil.copytree(tiny, tmp_path / "half")) / "model.safetensors").unlink()
    link(models / "half", tmp_path / "half")
    assert problems(models) == {"half": "it has no weights in the safetensors format"}


def test_a_link_is_followed_no_deeper_than_a_folder(models: Path, tmp_path: Path, tiny: Path) -> None:
    shutil.copytree(tiny, tmp_path / "deep" / "a" / "b" / "c" / "d")
    link(models / "deep", tmp_path / "deep")
    link(models / "less", tmp_path / "deep" / "a")
    assert [name for name, problem in problems(models).items() if not problem] == ["less/b/c/d"]


def test_a_link_to_a_whole_disk_is_given_up_and_says_so(models: Path, tmp_path: Path, tiny: Path) -> None:
    shutil.copytree(tiny, tmp_path / "much" / "0")
    for number in range(72):
        for below in range(72):
            (tmp_path / "much" / f"{number:02}" / str(below)).mkdir(parents=True, exist_ok=True)
    link(models / "much", tmp_path / "much")
    found = problems(models)
    assert found["much/0"] == "" and found["much"].startswith("it is a link to a folder with too many")


def test_hidden_links_and_drafts_are_not_looked_at(models: Path, tiny: Path) -> None:
    for name in (".hidden", ".tiny.partial", "tiny.partial"):
        link(models / name, tiny)
    assert problems(models) == {}


def test_a_link_that_is_turned_elsewhere_is_another_model(models: Path, tiny: Path, tmp_path: Path) -> None:
    bigger = make_tiny_model(tmp_path / "bigger", context=4096)
    for file in (tiny / "config.json", bigger / "config.json"):
        os.utime(file, (1, 1))
    link(models / "it", tiny)
    catalog = Catalog(models, use_hub_cache=False)
    before = catalog.exact("it")
    (models / "it").unlink()
    link(models / "it", bigger)
    catalog.forget()
    after = catalog.exact("it")
    assert before and after and (before.context_length, after.context_length) == (2048, 4096)


AS_NOBODY = """
import os, sys
from pathlib import Path
from inference.repository.model_folders import places
if os.geteuid() == 0:
    os.setuid(65534)
print({place.name: place.problem for place in places(Path(sys.argv[1]))})
"""


def test_a_folder_that_may_not_be_looked_into_says_so(models: Path, store: Path) -> None:
    link(models / "closed", store)
    link(models / "behind", store / "org")
    (models / "real").mkdir()
    for folder in (store, models / "real"):
        folder.chmod(0)
    for folder in (models, *models.parents):  # pytest's folders are their owner's alone
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(models)], capture_output=True, text=True, check=True
        )
    finally:
        for folder in (store, models / "real"):
            folder.chmod(0o755)
    assert done.stdout.strip() == str(
        {
            "real": "it cannot be looked into (Permission denied)",
            "behind": "it is a link to a folder that cannot be looked into (Permission denied)",
            "closed": "it cannot be looked into (Permission denied)",
        }
    )


def test_folders_and_links_may_vanish_while_they_are_looked_at(models: Path, store: Path) -> None:
    link(models / "one", store / "org" / "one")
    shutil.copytree(store / "org" / "one", models / "two" / "real")
    shutil.copytree(store / "org" / "one", models / "zwei")
    walk = places(models)
    names = [next(walk).name]
    shutil.rmtree(models / "zwei")
    (models / "one").unlink()
    assert [*names, *(place.name for place in walk)] == ["two/real"]

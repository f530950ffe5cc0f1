"""Embedding models of the hub: the one folder below the top that they need, fetched like everything else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inference.repository.catalog import Catalog
from inference.repository.downloads.errors import FetchFailed, NotAModel
from inference.repository.downloads.partial_file import HubFile, PartialFile
from tests.repository.fetching import Fetch
from tests.repository.hub import FakeHub
from tests.tiny_vectors import make_tiny_bert, make_tiny_qwen3

WEIGHTS, POOLING = "model.safetensors", "1_Pooling/config.json"


@pytest.fixture(params=[make_tiny_bert, make_tiny_qwen3])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> FakeHub:
    return FakeHub.of(request.param(tmp_path / "there"))


@pytest.fixture
def fetched(hub: FakeHub, tmp_path: Path) -> Fetch:
    return Fetch(hub, tmp_path / "models")


def test_what_comes_is_listed_as_an_embedding_model(fetched: Fetch, hub: FakeHub) -> None:
    with hub:
        fetched()
    (card,) = Catalog(fetched.models, use_hub_cache=False).scan()
    assert (card.kind, card.problem) == ("embedding", "")
    assert fetched.is_whole


def test_an_interrupted_one_keeps_its_folder(fetched: Fetch, hub: FakeHub) -> None:
    with hub:
        hub.missing.add(WEIGHTS)
        with pytest.raises(FetchFailed):
            fetched()
        hub.missing.clear()
        hub.got.clear()
        fetched()
    assert hub.asked == [WEIGHTS] and fetched.is_whole


def without_modules(files: dict[str, bytes]) -> None:
    del files["modules.json"]
    files["config.json"] = files["config.json"].replace(b"qwen3", b"bert")


def of_another_kind(files: dict[str, bytes]) -> None:
    for kind in (b'"bert"', b'"qwen3"'):
        files["config.json"] = files["config.json"].replace(kind, b'"mpnet"')


def that_pools_oddly(files: dict[str, bytes]) -> None:
    files[POOLING] = b'{"pooling_mode_max_tokens": true}'


def without_pooling(files: dict[str, bytes]) -> None:
    del files[POOLING]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_modules, "it has no modules.json"),
        (of_another_kind, "the kind mpnet are not supported yet"),
        (that_pools_oddly, "it pools in a way that is not supported"),
        (without_pooling, "its 1_Pooling/config.json cannot be read"),
    ],
)
def test_one_that_cannot_be_served_is_reported_before_its_weights_come(
    fetched: Fetch, hub: FakeHub, change: Callable[[dict[str, bytes]], None], reason: str
) -> None:
    change(hub.files)
    with hub:
        assert reason in fetched.refusal(NotAModel)
    assert WEIGHTS not in hub.asked


def test_other_things_in_its_folder_are_cleared_away(fetched: Fetch, hub: FakeHub) -> None:
    folder = fetched.models / ".tiny.partial" / "1_Pooling"
    (folder / "deeper").mkdir(parents=True)
    (folder / "modeling.py").write_text("old")
    (folder / "deeper" / "config.json").write_text("old")
    with hub:
        fetched()
    assert fetched.is_whole


def test_a_link_in_its_place_is_not_followed(fetched: Fetch, hub: FakeHub, tmp_path: Path) -> None:
    mine, draft = tmp_path / "mine", fetched.models / ".tiny.partial"
    mine.mkdir()
    (mine / "config.json").write_text("mine")
    draft.mkdir(parents=True)
    (draft / "1_Pooling").symlink_to(mine)
    with hub:
        fetched()
    assert fetched.is_whole and [path.name for path in mine.iterdir()] == ["config.json"]
    assert (mine / "config.json").read_text() == "mine"


def test_a_part_is_not_written_through_a_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "1_Pooling").symlink_to(tmp_path / "mine")
    with pytest.raises(OSError), PartialFile(tmp_path, HubFile(name=POOLING, size=3, git_name="0" * 40)):
        pass
    assert list((tmp_path / "mine").iterdir()) == []

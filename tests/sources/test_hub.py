import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

from inference.catalog import Catalog
from inference.sources.hub import HubUnavailable, NoRoom, download
from tests.sources.hub import REPO, FakeHub
from tests.tiny import make_tiny_model

PLACES = ("HF_HUB_OFFLINE", "HF_HOME", "HF_TOKEN")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """A process that may reach loopback: the hub's client reads HF_HUB_OFFLINE once, when imported."""
    before = {name: os.environ.pop(name, None) for name in PLACES}
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("hf"))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(os.getpid).result()
        os.environ.pop("HF_HOME")
        os.environ.update({name: value for name, value in before.items() if value is not None})
        yield executor


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def hub(tiny: Path) -> Iterator[FakeHub]:
    with FakeHub.of(tiny) as hub:
        yield hub


def fetch(target: Path, endpoint: str, repo: str = REPO) -> list[tuple[str, int, int]]:
    told: list[tuple[str, int, int]] = []
    download(repo, target, lambda *progress: told.append(progress), endpoint=endpoint)
    return told


@pytest.fixture
def fetched(elsewhere: Executor, hub: FakeHub, tmp_path: Path) -> "Fetch":
    return Fetch(elsewhere, hub, tmp_path / "models")


class Fetch:
    """Downloads from the fake hub into a models folder."""

    def __init__(self, elsewhere: Executor, hub: FakeHub, models: Path) -> None:
        self._elsewhere, self._hub, self.models = elsewhere, hub, models

    def __call__(self, repo: str = REPO) -> list[tuple[str, int, int]]:
        endpoint = self._hub.endpoint
        return self._elsewhere.submit(fetch, self.models / "tiny", endpoint, repo).result(60)

    def refusal(self, repo: str = REPO) -> str:
        with pytest.raises(HubUnavailable) as refused:
            self(repo)
        assert Catalog(self.models, use_hub_cache=False).scan() == ()
        assert not (self.models / "tiny").exists()
        return str(refused.value)

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.models / "tiny").iterdir())


def test_a_whole_model_arrives(fetched: Fetch, hub: FakeHub) -> None:
    told = fetched()
    assert fetched.names() == sorted(hub.files)
    assert all((fetched.models / "tiny" / name).read_bytes() == hub.files[name] for name in hub.files)
    total = sum(len(content) for content in hub.files.values())
    assert all(phase == "Downloading" and done <= of == total for phase, done, of in told)
    assert [card.is_servable for card in Catalog(fetched.models, use_hub_cache=False).scan()] == [True]


def test_only_files_that_cannot_run_are_asked_for(fetched: Fetch, hub: FakeHub) -> None:
    wanted = sorted(hub.files)
    unwanted = (
        "modeling.py",
        "pytorch_model.bin",
        "x.gguf",
        "README.md",
        "run.sh",
        "config.json.py",
        "x.pkl",
    )
    below = ("original/tokenizer.model", "onnx/config.json", "a/model.safetensors")
    hub.files |= dict.fromkeys((*unwanted, *below), b"evil")
    fetched()
    assert sorted(set(hub.asked)) == wanted == fetched.names()


@pytest.mark.parametrize(
    "name", ["../escape.json", "/escape.json", "..\\..\\escape.json", "a/../../escape.json"]
)
def test_a_name_that_leaves_the_folder_touches_nothing(fetched: Fetch, hub: FakeHub, name: str) -> None:
    outside = fetched.models / "escape.json"
    outside.parent.mkdir()
    outside.write_text("mine")
    hub.extra.append({"rfilename": name, "size": 4, "lfs": {"sha256": "0" * 64, "size": 4, "pointerSize": 1}})
    try:
        fetched()
    except HubUnavailable:
        assert not (fetched.models / "tiny").exists()
    assert outside.read_text() == "mine"


def test_a_body_cut_short_is_no_model(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies["model.safetensors"] = hub.files["model.safetensors"][:-100]
    assert fetched.refusal() in {
        f"the hub did not give {REPO} (OSError)",  # the client noticed
        "model.safetensors did not arrive whole",
    }


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_changed_byte_is_noticed(fetched: Fetch, hub: FakeHub, name: str) -> None:
    content = bytearray(hub.files[name])
    content[-3] ^= 1
    hub.lies[name] = bytes(content)
    assert fetched.refusal() == f"{name} is not what the hub says it is"


def test_a_repaired_hub_is_believed_the_next_time(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies["config.json"] = b"{" + hub.files["config.json"][1:-1] + b" "
    fetched.refusal()
    hub.lies.clear()
    fetched()
    assert fetched.names() == sorted(hub.files)


def test_a_listed_file_that_is_missing_is_no_model(fetched: Fetch, hub: FakeHub) -> None:
    hub.missing.add("tokenizer.json")
    assert fetched.refusal().startswith(f"the hub did not give {REPO}")


def test_an_unknown_repository_is_no_model(fetched: Fetch) -> None:
    assert fetched.refusal("org/other").startswith("the hub did not give org/other")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_repository_without_a_model_is_not_fetched(fetched: Fetch, hub: FakeHub, name: str) -> None:
    del hub.files[name]
    assert fetched.refusal() == f"{REPO} holds no safetensors model"
    assert hub.asked == []


def test_a_broken_connection_goes_on_where_it_stopped(fetched: Fetch, hub: FakeHub) -> None:
    hub.files["model.safetensors"] = os.urandom(12 * 2**20)
    hub.breaks_after["model.safetensors"] = 11 * 2**20  # the client keeps whole pieces of 10 MiB
    fetched()
    assert (fetched.models / "tiny" / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert [part for name, part in hub.got if name == "model.safetensors"] == ["", f"bytes={10 * 2**20}-"]


def test_an_interrupted_download_goes_on_with_what_it_has(fetched: Fetch, hub: FakeHub) -> None:
    hub.missing.add("model.safetensors")
    fetched.refusal()
    kept = {name for name, _ in hub.got}
    hub.missing.clear()
    hub.got.clear()
    fetched()
    assert "tokenizer.json" in kept and kept.isdisjoint({name for name, _ in hub.got})
    assert fetched.names() == sorted(hub.files)


def test_what_an_older_revision_left_is_cleared_away(fetched: Fetch, hub: FakeHub) -> None:
    draft = fetched.models / ".tiny.partial"
    (draft / "folder").mkdir(parents=True)
    (draft / "model-00001-of-00002.safetensors").write_text("old")
    fetched()
    assert fetched.names() == sorted(hub.files)


def test_a_hub_that_is_not_there_is_said_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(HubUnavailable, match="did not give org/tiny"):
        fetch(tmp_path / "tiny", "http://127.0.0.1:9")


def test_a_disk_without_room_is_found_before_anything_is_fetched(fetched: Fetch, hub: FakeHub) -> None:
    hub.extra.append({"rfilename": "big.safetensors", "size": 10**18, "blobId": "0" * 40})
    with pytest.raises(NoRoom, match=r"needs 1000000000\.0 GB and the disk has \d+\.\d GB free"):
        fetched()
    assert hub.got == [] and not fetched.models.exists()

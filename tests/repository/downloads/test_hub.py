from pathlib import Path

import pytest

from inference.repository.downloads.errors import (
    Damaged,
    HubUnavailable,
    NotAnId,
    TakenAlready,
    ThereAlready,
)
from inference.repository.downloads.hub import download
from inference.repository.downloads.hub_names import check_id
from inference.repository.downloads.progress import FetchProgress
from inference.repository.files.staging import staged
from tests.each import each
from tests.repository.fetching import FEW_RETRIES, Fetch
from tests.repository.hub import REPO, FakeHub

WEIGHTS = "model.safetensors"


def test_a_whole_model_arrives(fetched: Fetch, hub: FakeHub) -> None:
    reports = fetched()
    assert fetched.is_whole and fetched.listed == ["tiny"]
    sizes = {name: len(content) for name, content in hub.files.items()}
    assert {file.name: file.size for file in reports[-1].files} == sizes
    assert all(file.done == file.size for file in reports[-1].files)
    assert all(0 <= file.done <= file.size for one in reports for file in one.files)


@pytest.mark.parametrize(
    "name", ["../escape.json", "/escape.json", "..\\..\\escape.json", "a/../../escape.json"]
)
def test_a_name_that_leaves_the_folder_touches_nothing(fetched: Fetch, hub: FakeHub, name: str) -> None:
    outside = fetched.models / "escape.json"
    outside.parent.mkdir()
    outside.write_text("mine")
    hub.extra.append({"rfilename": name, "size": 4, "lfs": {"sha256": "0" * 64, "size": 4, "pointerSize": 1}})
    fetched()
    assert outside.read_text() == "mine" and fetched.is_whole


@each("name", ["org/x", "mlx-community/Qwen3-4B-4bit", "a/b_c.d"])
def test_an_id_is_taken(name: str) -> None:
    check_id(name)


@pytest.mark.parametrize(
    "name",
    ["x", "../x/y", "a/b/c", "https://h.co/a/b", "a/..", "", "a/.b", "a/b\n", "a/b?c", "ä/b", "a/b--c"],
)
def test_what_is_no_id_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotAnId):
        download(name, tmp_path / "x", lambda progress: None)


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json", "config.json"])
def test_a_changed_byte_is_noticed_and_the_repaired_file_fetched_anew(
    fetched: Fetch, hub: FakeHub, name: str
) -> None:
    content = bytearray(hub.files[name])
    content[-3] ^= 1
    hub.lies[name] = bytes(content)
    assert f"{name} does not match the hub's checksum" in fetched.refusal(Damaged)
    hub.lies.clear()
    hub.got.clear()
    fetched()
    assert hub.ranges(name) == [""] and fetched.is_whole


def test_a_body_cut_short_is_no_model(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies[WEIGHTS] = hub.files[WEIGHTS][:-100]
    assert "ends before the hub says it does" in fetched.refusal(HubUnavailable)


def test_a_body_too_long_stops_before_it_fills_the_disk(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies[WEIGHTS] = hub.files[WEIGHTS] + bytes(2**20)
    assert "is longer than the hub states" in fetched.refusal(Damaged)


def test_what_the_listener_raises_ends_the_writer_too(fetched: Fetch, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000

    def stop(progress: FetchProgress) -> None:
        if progress.files and progress.files[-1].done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(REPO, fetched.models / "tiny", stop, endpoint=hub.endpoint, retry_policy=FEW_RETRIES)
    hub.holds_after.clear()
    fetched()  # nobody holds the draft any more
    assert fetched.is_whole


def test_a_model_that_is_there_is_not_fetched(fetched: Fetch, hub: FakeHub) -> None:
    fetched()
    hub.got.clear()
    with pytest.raises(ThereAlready, match=r"manage\.py remove org/tiny"):
        fetched()
    assert hub.got == []


def test_of_two_at_once_one_is_refused(fetched: Fetch) -> None:
    with staged(fetched.models / "tiny", keeps_draft=True):
        assert "Another download of org/tiny is in progress" in fetched.refusal(TakenAlready)
        (fetched.models / ".tiny.partial").rename(fetched.models / ".tiny.away")
        (fetched.models / ".tiny.partial").mkdir()


def test_without_a_hub_nobody_waits(tmp_path: Path) -> None:
    with pytest.raises(HubUnavailable, match="cannot be reached"):
        download(REPO, tmp_path / "tiny", lambda progress: None, endpoint="http://127.0.0.1:9")


def test_a_name_that_nobody_knows_is_reported_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):  # it would be asked for the name
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HubUnavailable) as refused:
        download(REPO, tmp_path / "tiny", lambda progress: None, endpoint="http://hub.invalid")
    assert str(refused.value) == (
        "The name hub.invalid cannot be resolved: is this machine online? Try again later."
    )


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("https://huggingface.co/org/tiny", "Leave out https://huggingface.co/: org/tiny."),
        ("huggingface.co/org/tiny/", "Leave out huggingface.co/: org/tiny."),
        (
            "https://huggingface.co/org/tiny/tree/main",
            "Leave out https://huggingface.co/ and /tree/main: org/tiny.",
        ),
        ("https://hf.co/org/tiny?x=1", "Leave out https://hf.co/ and ?x=1: org/tiny."),
        ("https://huggingface.co/org", "Give the model's exact id on the hub: OWNER/NAME."),
        ("https://huggingface.co/../../x", "Give the model's exact id on the hub: OWNER/NAME."),
        ("https://elsewhere.example/org/tiny", "Give the model's exact id on the hub: OWNER/NAME."),
    ],
)
def test_the_address_of_a_page_is_refused_with_the_id_in_it(given: str, advice: str, tmp_path: Path) -> None:
    with pytest.raises(NotAnId) as refused:
        download(given, tmp_path / "tiny", lambda progress: None)
    assert str(refused.value) == advice


def test_an_offline_hub_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(HubUnavailable, match="HF_HUB_OFFLINE is set"):  # as it is for all tests
        download(REPO, tmp_path / "tiny", lambda progress: None)

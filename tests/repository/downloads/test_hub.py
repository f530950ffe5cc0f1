import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inference.core import disk_space
from inference.repository.downloads import partial_file
from inference.repository.downloads.errors import (
    Damaged,
    FetchFailed,
    HubUnavailable,
    NoRoom,
    NotAnId,
    TakenAlready,
    ThereAlready,
)
from inference.repository.downloads.hub import check_id, download
from inference.repository.downloads.progress import FetchProgress
from inference.repository.files.staging import staged
from tests.repository.fetching import IMPATIENT, Fetch, wait_for_part
from tests.repository.hub import REPO, FakeHub

WEIGHTS = "model.safetensors"


def test_a_whole_model_arrives(fetched: Fetch, hub: FakeHub) -> None:
    told = fetched()
    assert fetched.is_whole and fetched.listed == ["tiny"]
    sizes = {name: len(content) for name, content in hub.files.items()}
    assert {file.name: file.size for file in told[-1].files} == sizes
    assert all(file.done == file.size for file in told[-1].files)
    assert all(0 <= file.done <= file.size for one in told for file in one.files)


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


@pytest.mark.parametrize("name", ["org/x", "mlx-community/Qwen3-4B-4bit", "a/b_c.d"])
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
    assert f"{name} is not what the hub says it is" in fetched.refusal(Damaged)
    hub.lies.clear()
    hub.got.clear()
    fetched()
    assert hub.ranges(name) == [""] and fetched.is_whole


def test_a_body_cut_short_is_no_model(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies[WEIGHTS] = hub.files[WEIGHTS][:-100]
    assert "ends before the hub says it does" in fetched.refusal(HubUnavailable)


def test_a_body_too_long_stops_before_it_fills_the_disk(fetched: Fetch, hub: FakeHub) -> None:
    hub.lies[WEIGHTS] = hub.files[WEIGHTS] + bytes(2**20)
    assert "is longer than the hub says it is" in fetched.refusal(Damaged)


def test_a_broken_connection_goes_on_where_it_broke(fetched: Fetch, hub: FakeHub) -> None:
    hub.breaks_after[WEIGHTS] = 1000
    fetched()
    assert hub.ranges(WEIGHTS) == ["", "bytes=1000-"] and fetched.is_whole


def test_an_ignored_range_starts_over(fetched: Fetch, hub: FakeHub) -> None:
    hub.breaks_after[WEIGHTS] = 1000
    hub.ignores_ranges = True
    fetched()
    assert hub.ranges(WEIGHTS) == ["", "bytes=1000-"] and fetched.is_whole


def test_a_stalled_hub_is_given_up_and_gone_on_with_later(fetched: Fetch, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    assert "sent nothing for" in fetched.refusal(HubUnavailable)
    hub.holds_after.clear()
    hub.got.clear()
    fetched()
    # Each of the three tries brought as much.
    assert hub.ranges(WEIGHTS) == ["bytes=3000-"] and fetched.is_whole


def test_an_interrupted_download_goes_on_with_what_it_has(fetched: Fetch, hub: FakeHub) -> None:
    hub.missing.add(WEIGHTS)
    with pytest.raises(FetchFailed):
        fetched()
    kept = set(hub.asked)
    hub.missing.clear()
    hub.got.clear()
    told = fetched()
    assert "tokenizer.json" in kept and hub.asked == [WEIGHTS] and fetched.is_whole
    assert all(file.done == file.size for file in told[-1].files)


def test_what_is_kept_is_not_trusted(fetched: Fetch, hub: FakeHub) -> None:
    hub.missing.add(WEIGHTS)
    with pytest.raises(FetchFailed):
        fetched()
    draft = fetched.models / ".tiny.partial"
    (draft / "config.json").write_bytes(b"x" * len(hub.files["config.json"]))
    hub.missing.clear()
    fetched()
    assert fetched.is_whole


def test_what_an_older_revision_left_is_cleared_away(fetched: Fetch, tmp_path: Path) -> None:
    draft, mine = fetched.models / ".tiny.partial", tmp_path / "mine"
    (draft / "folder").mkdir(parents=True)
    (draft / "model-00001-of-00002.safetensors").write_text("old")
    (draft / f"{WEIGHTS}.0123456789abcdef.part").write_text("old")
    mine.write_text("mine")
    (draft / "config.json").symlink_to(mine)
    fetched()
    assert fetched.is_whole and mine.read_text() == "mine"


def test_a_part_that_is_a_link_is_not_written_through(fetched: Fetch, hub: FakeHub, tmp_path: Path) -> None:
    hub.breaks_after = dict.fromkeys(hub.files, 0)
    hub.missing.add(WEIGHTS)
    with pytest.raises(FetchFailed):
        fetched()
    (partial_file,) = (fetched.models / ".tiny.partial").glob(f"{WEIGHTS}.*.part")
    (tmp_path / "mine").write_text("mine")
    partial_file.unlink()
    partial_file.symlink_to(tmp_path / "mine")
    hub.missing.clear()
    fetched()
    assert fetched.is_whole and (tmp_path / "mine").read_text() == "mine"


def test_what_the_listener_raises_ends_the_writer_too(fetched: Fetch, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000

    def stop(progress: FetchProgress) -> None:
        if progress.files and progress.files[-1].done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(REPO, fetched.models / "tiny", stop, endpoint=hub.endpoint, patience=IMPATIENT)
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
        assert "Somebody else is fetching org/tiny" in fetched.refusal(TakenAlready)
        (fetched.models / ".tiny.partial").rename(fetched.models / ".tiny.away")
        (fetched.models / ".tiny.partial").mkdir()


def test_a_disk_without_room_is_found_before_anything_is_fetched(fetched: Fetch, hub: FakeHub) -> None:
    hub.extra.append({"rfilename": "model-big.safetensors", "size": 10**18, "blobId": "0" * 40})
    with pytest.raises(NoRoom, match=r"needs 1000000000\.0 GB and the disk has \d+\.\d GB free"):
        fetched()
    assert hub.got == [] and not fetched.models.exists()


def fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if others took all of the disk, but for what stays free."""
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)


def test_a_disk_that_others_fill_ends_it_before_the_next_file(
    fetched: Fetch, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_progress(progress: FetchProgress) -> None:
        if progress.done:
            fills(monkeypatch)

    with pytest.raises(NoRoom, match=r"org/tiny needs .* What has come is kept; download again to go on"):
        fetched.download(on_progress)
    assert len(hub.asked) == 1
    monkeypatch.undo()
    fetched()
    assert len(hub.asked) == len(hub.files) and fetched.is_whole


def test_a_disk_that_others_fill_ends_it_in_the_middle_of_a_file(
    fetched: Fetch, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files[WEIGHTS] += os.urandom(2**20)
    hub.holds_after[WEIGHTS] = 1000
    monkeypatch.setattr(partial_file, "_LOOK_EVERY_BYTES", 1000)

    def on_progress(progress: FetchProgress) -> None:
        if progress.files and progress.files[-1].done:
            fills(monkeypatch)
            hub.go_on.set()

    with pytest.raises(NoRoom, match="The disk is full but for the .* what has come is kept"):
        fetched.download(on_progress)
    monkeypatch.undo()
    hub.holds_after.clear()
    hub.got.clear()
    fetched()
    (rest,) = hub.ranges(WEIGHTS)
    assert rest.startswith("bytes=") and fetched.is_whole


def test_a_folder_that_cannot_be_written_is_said_so(fetched: Fetch) -> None:
    fetched.models.write_text("a file")
    with pytest.raises(FetchFailed, match="cannot be written: .* Look at the models folder's permissions"):
        fetched()


def test_without_a_hub_nobody_waits(tmp_path: Path) -> None:
    with pytest.raises(HubUnavailable, match="cannot be reached"):
        download(REPO, tmp_path / "tiny", lambda progress: None, endpoint="http://127.0.0.1:9")


def test_a_name_that_nobody_knows_is_told_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):  # it would be asked for the name
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HubUnavailable) as told:
        download(REPO, tmp_path / "tiny", lambda progress: None, endpoint="http://hub.invalid")
    assert str(told.value) == (
        "The name hub.invalid cannot be resolved: is this machine online? Download it later."
    )


@pytest.mark.parametrize(
    ("given", "told"),
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
def test_the_address_of_a_page_is_refused_with_the_id_in_it(given: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(NotAnId) as refused:
        download(given, tmp_path / "tiny", lambda progress: None)
    assert str(refused.value) == told


def test_an_offline_hub_is_not_asked(tmp_path: Path) -> None:
    with pytest.raises(HubUnavailable, match="HF_HUB_OFFLINE is set"):  # as it is for all tests
        download(REPO, tmp_path / "tiny", lambda progress: None)


PROGRAM = """
import resource, sys
from pathlib import Path
from inference.repository.downloads.errors import FetchFailed
from inference.repository.downloads.hub import download

endpoint, target, share, most = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

def on_progress(progress):
    if progress.done >= share * progress.size:
        print("here", flush=True)
        sys.stdin.readline()

try:
    download("org/tiny", target, on_progress, endpoint=endpoint)
except FetchFailed as error:
    print(type(error).__name__, error)
"""


def start(
    fetched: Fetch, *, pause_at: float = 2.0, most: int = resource.RLIM_INFINITY
) -> "subprocess.Popen[str]":
    arguments = [fetched.hub.endpoint, str(fetched.models / "tiny"), str(pause_at), str(most)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_a_killed_download_is_no_model_and_the_next_one_goes_on(
    fetched: Fetch, hub: FakeHub, share: float
) -> None:
    hub.files[WEIGHTS] += os.urandom(2**20)
    came = hub.holds_after[WEIGHTS] = int(share * len(hub.files[WEIGHTS]))
    process = start(fetched, pause_at=1.0)  # with every byte there, it stops before it renames
    try:
        wait_for_part(fetched.models / ".tiny.partial", came)
        end = time.monotonic() + 30
        while WEIGHTS not in hub.asked:  # the part is there before its file is asked for
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    assert fetched.listed == []
    hub.holds_after.clear()
    hub.got.clear()
    fetched()
    rest = {0.0: [""], 1.0: []}.get(share, [f"bytes={came}-"])
    assert hub.asked == [WEIGHTS][: len(rest)] and hub.ranges(WEIGHTS) == rest and fetched.is_whole


def test_a_full_disk_is_said_so_and_what_came_is_kept(fetched: Fetch, hub: FakeHub) -> None:
    hub.files[WEIGHTS] += os.urandom(4 * 2**20)
    told, _ = start(fetched, most=2**20).communicate()
    assert told.startswith("NoRoom The disk is full.")
    hub.got.clear()
    fetched()
    assert hub.ranges(WEIGHTS) == [f"bytes={2**20}-"] and fetched.is_whole

"""Downloads onto a disk that is full, or fills up, or cannot be written."""

import os

import pytest

from inference.core import disk_space
from inference.repository.downloads import partial_file
from inference.repository.downloads.errors import (
    DiskFull,
    FetchFailed,
)
from inference.repository.downloads.progress import FetchProgress
from tests.repository.downloads.download_process import start
from tests.repository.fetching import Fetch
from tests.repository.hub import FakeHub

WEIGHTS = "model.safetensors"


def fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if others took all of the disk, but for what stays free."""
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 10**18)


def test_a_disk_without_room_is_found_before_anything_is_fetched(fetched: Fetch, hub: FakeHub) -> None:
    hub.extra.append({"rfilename": "model-big.safetensors", "size": 10**18, "blobId": "0" * 40})
    with pytest.raises(DiskFull, match=r"needs 1000000000\.0 GB and the disk has \d+\.\d GB free"):
        fetched()
    assert hub.got == [] and not fetched.models.exists()


def test_a_disk_that_others_fill_ends_it_before_the_next_file(
    fetched: Fetch, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_progress(progress: FetchProgress) -> None:
        if progress.done:
            fills(monkeypatch)

    with pytest.raises(
        DiskFull, match=r"org/tiny needs .* The partial files are kept; download again to continue"
    ):
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
    monkeypatch.setattr(partial_file, "_CHECK_DISK_EVERY_BYTES", 1000)

    def on_progress(progress: FetchProgress) -> None:
        if progress.files and progress.files[-1].done:
            fills(monkeypatch)
            hub.go_on.set()

    with pytest.raises(DiskFull, match="The disk is full but for the .* the partial files are kept"):
        fetched.download(on_progress)
    monkeypatch.undo()
    hub.holds_after.clear()
    hub.got.clear()
    fetched()
    (rest,) = hub.ranges(WEIGHTS)
    assert rest.startswith("bytes=") and fetched.is_whole


def test_a_folder_that_cannot_be_written_is_reported(fetched: Fetch) -> None:
    fetched.models.write_text("a file")
    with pytest.raises(FetchFailed, match="cannot be written: .* Check the permissions of the models folder"):
        fetched()


def test_a_full_disk_is_reported_and_what_came_is_kept(fetched: Fetch, hub: FakeHub) -> None:
    hub.files[WEIGHTS] += os.urandom(4 * 2**20)
    reports, _ = start(fetched, most=2**20).communicate()
    assert reports.startswith("DiskFull The disk is full.")
    hub.got.clear()
    fetched()
    assert hub.ranges(WEIGHTS) == [f"bytes={2**20}-"] and fetched.is_whole

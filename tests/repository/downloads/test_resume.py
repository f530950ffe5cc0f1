"""Downloads that are interrupted, and resume with what they have."""

import os
import time
from pathlib import Path

import pytest

from inference.repository.downloads.errors import FetchFailed, HubUnavailable
from tests.repository.downloads.download_process import start
from tests.repository.fetching import Fetch, wait_for_part
from tests.repository.hub import FakeHub

WEIGHTS = "model.safetensors"


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
    reports = fetched()
    assert "tokenizer.json" in kept and hub.asked == [WEIGHTS] and fetched.is_whole
    assert all(file.done == file.size for file in reports[-1].files)


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

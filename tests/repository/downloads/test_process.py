import os
import subprocess
import sys
from pathlib import Path

import msgspec

from inference.repository.downloads.process import Ending, Line
from inference.repository.downloads.progress import FetchProgress
from tests.repository.fetching import Fetch
from tests.repository.hub import LISTING, REPO, FakeHub, Refusal

WEIGHTS = "model.safetensors"


def start(hub: FakeHub, target: Path) -> "subprocess.Popen[bytes]":
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-m", "inference.repository.downloads.process", REPO, str(target)]
    return subprocess.Popen(
        command, env=env | {"HF_ENDPOINT": hub.endpoint}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def lines_of(process: "subprocess.Popen[bytes]") -> list[Line]:
    with process:
        return [msgspec.json.decode(line, type=Line) for line in process.stdout or ()]


def test_it_reports_its_progress_and_its_end(fetched: Fetch, hub: FakeHub) -> None:
    *before, last, ending = lines_of(start(hub, fetched.models / "tiny"))
    assert isinstance(last, FetchProgress) and last.done == last.size and ending == Ending()
    assert all(isinstance(line, FetchProgress) for line in before) and fetched.is_whole


def test_it_reports_why_it_failed(fetched: Fetch, hub: FakeHub) -> None:
    hub.refusals[LISTING] = [Refusal(401, {"X-Error-Code": "GatedRepo"})]
    (ending,) = lines_of(start(hub, fetched.models / "tiny"))
    assert isinstance(ending, Ending) and "org/tiny is gated" in ending.failure


def test_it_ends_with_its_parent(fetched: Fetch, hub: FakeHub) -> None:
    hub.holds_after[WEIGHTS] = 1000
    process = start(hub, fetched.models / "tiny")
    assert process.stdout and process.stdin and process.stdout.readline()
    process.stdin.close()
    assert process.wait(30) == 1
    process.stdout.close()
    hub.holds_after.clear()
    fetched()  # nobody holds the draft any more
    assert fetched.is_whole

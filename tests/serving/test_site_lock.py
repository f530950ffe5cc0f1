"""The lock of a data folder, held by this process and by others."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from inference.serving import site_lock
from inference.serving.site_lock import LockUnusable, Serving

HOLD = """
import sys, time
from pathlib import Path
from inference.serving import site_lock
with site_lock.locked(Path(sys.argv[1])) as place:
    place.listens("127.0.0.1", 8123)
    print("held", flush=True)
    time.sleep(600)
"""


def test_what_is_written_is_found_while_it_lasts(tmp_path: Path) -> None:
    assert site_lock.running_site(tmp_path) is None
    with site_lock.locked(tmp_path) as place:
        assert site_lock.running_site(tmp_path) == Serving(pid=os.getpid())
        place.listens("::1", 8123)
        assert site_lock.running_site(tmp_path) == Serving(pid=os.getpid(), host="::1", port=8123)
        assert str(site_lock.running_site(tmp_path)) == f"at http://[::1]:8123, process {os.getpid()}"
        (file,) = tmp_path.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [] and site_lock.running_site(tmp_path) is None


def test_a_folder_has_one_site_and_is_free_once_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        address = f"at http://127.0.0.1:8123, process {other.pid}"
        with pytest.raises(site_lock.ServedAlready, match=address), site_lock.locked(tmp_path):
            pass
        assert site_lock.running_site(tmp_path)
        other.send_signal(signal.SIGKILL)
    assert site_lock.running_site(tmp_path) is None and list(tmp_path.iterdir()) != []
    with site_lock.locked(tmp_path):
        assert site_lock.running_site(tmp_path) == Serving(pid=os.getpid())


def test_those_who_look_do_not_keep_a_site_from_starting(tmp_path: Path) -> None:
    """Their look takes the lock for an instant."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            site_lock.running_site(tmp_path)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(200):
            with site_lock.locked(tmp_path) as place:
                place.listens("127.0.0.1", 8123)
    finally:
        is_over.set()
        thread.join()


def test_a_child_does_not_hold_the_folder(tmp_path: Path) -> None:
    with site_lock.locked(tmp_path), subprocess.Popen(["sleep", "600"]) as child:
        held = [Path(file.path).name for file in psutil.Process().open_files()]
        inherited = [Path(file.path).name for file in psutil.Process(child.pid).open_files()]
        child.kill()
    assert "serving" in held and "serving" not in inherited


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "serving").mkdir()
    refused = pytest.raises(LockUnusable, match=r"serving cannot be opened: Is a directory")
    with refused, site_lock.locked(tmp_path):
        pass

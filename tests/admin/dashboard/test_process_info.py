import os
import subprocess
import sys
import time

import pytest

from inference.admin.dashboard.process_info import footprint
from inference.core.pool_state import Memory


def test_a_process_has_a_beginning_and_a_size() -> None:
    seen = footprint(os.getpid(), Memory())
    assert 0 < seen.began_at <= time.time()
    assert seen.bytes > 10**7


def test_buffers_outside_its_resident_size_count() -> None:
    assert footprint(os.getpid(), Memory(active=10**15, cache=5)).bytes == 10**15 + 5


def test_its_helper_processes_count() -> None:
    alone = footprint(os.getpid(), Memory())
    assert footprint(os.getpid(), Memory(helpers=10**15)).bytes == pytest.approx(
        alone.bytes + 10**15, abs=10**8
    )


def test_of_a_process_that_has_ended_is_known_what_it_reported() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    seen = footprint(ended.pid, Memory(resident=7, active=3, helpers=2))
    assert (seen.began_at, seen.bytes) == (0.0, 9)

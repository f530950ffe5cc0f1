"""Work at a low priority."""

import os
import sys
import threading

import pytest

from inference.worker.model.low_priority import run_at_low_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority on Linux only")


def nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def nice_of_started_thread() -> int:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(nice()))
    thread.start()
    thread.join()
    return found[0]


def test_it_has_a_lower_priority_and_so_has_what_it_begins() -> None:
    assert run_at_low_priority(nice) == run_at_low_priority(nice_of_started_thread) == min(19, nice() + 5)


def test_the_caller_keeps_its_own() -> None:
    before = nice()
    run_at_low_priority(nice)
    assert nice() == nice_of_started_thread() == before


def test_what_it_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        run_at_low_priority(lambda: 1 // 0)

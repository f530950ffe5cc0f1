"""A slow value is loaded by a thread of its own, and no caller waits for it longer than for a moment."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inference.core.background_refresh import BackgroundRefresh
from tests.repository.catalog_scan import Clock

FOREVER = 3600.0


class Slow:
    """Counts loads; each waits for the gate, where there is one."""

    def __init__(self) -> None:
        self.gate: threading.Event | None = None
        self.begun = 0
        self.fails = False

    def __call__(self) -> int:
        self.begun += 1
        found = self.begun
        if self.gate:
            assert self.gate.wait(10)
        if self.fails:
            raise OSError("the disk fails")
        return found


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    if slow.gate:
        slow.gate.set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refresh(load: Callable[[], int], clock: Clock, timeout_s: float = 5.0) -> BackgroundRefresh[int]:
    return BackgroundRefresh(load, refresh_after_s=1.0, timeout_s=timeout_s, clock=clock)


def in_thread(ask: Callable[[], int]) -> "tuple[threading.Thread, list[int]]":
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(ask()), daemon=True)
    thread.start()
    return thread, results


def test_it_looks_again_when_the_last_look_is_old(slow: Slow, clock: Clock) -> None:
    known = refresh(slow, clock)
    assert [known.latest(), known.latest()] == [1, 1]
    clock.now += 1.5
    assert known.latest() == 2


def test_the_first_look_is_waited_for_and_done_once_for_all(slow: Slow, clock: Clock) -> None:
    slow.gate = threading.Event()
    known = refresh(slow, clock, timeout_s=0.0)
    asking = [in_thread(known.latest) for _ in range(4)]
    time.sleep(0.05)
    slow.gate.set()
    for thread, _ in asking:
        thread.join(10)
    assert [results for _, results in asking] == [[1]] * 4 and slow.begun == 1


def test_a_caller_during_a_slow_refresh_receives_the_last_known(slow: Slow, clock: Clock) -> None:
    known = refresh(slow, clock, timeout_s=0.05)
    known.latest()
    slow.gate = threading.Event()
    clock.now += 2
    assert [known.latest() for _ in range(3)] == [1, 1, 1] and slow.begun == 2
    slow.gate.set()
    while known.latest() != 2:
        time.sleep(0.01)


def test_after_a_slow_look_nobody_waits_for_the_next(slow: Slow, clock: Clock) -> None:
    slow.gate = threading.Event()
    known = refresh(slow, clock, timeout_s=0.01)
    first, _ = in_thread(known.latest)
    time.sleep(0.05)
    slow.gate.set()
    first.join(10)
    known._timeout_s = FOREVER
    slow.gate = threading.Event()
    clock.now += 2
    assert known.latest() == 1


def test_what_is_forgotten_is_looked_at_again_by_a_look_that_begins_later(slow: Slow, clock: Clock) -> None:
    known = refresh(slow, clock)
    known.latest()
    slow.gate = threading.Event()
    clock.now += 2
    before, results_before = in_thread(known.latest)  # this look has begun when something changes
    while slow.begun < 2:
        time.sleep(0.001)
    known.forget()
    after, results_after = in_thread(known.latest)
    time.sleep(0.02)
    slow.gate.set()
    before.join(10)
    after.join(10)
    assert results_after == [3] and results_before in (
        [2],
        [3],
    )  # by the time it wakes there may be a newer one


def test_a_look_that_fails_leaves_what_was_known(slow: Slow, clock: Clock) -> None:
    known = refresh(slow, clock)
    known.latest()
    slow.fails = True
    clock.now += 2
    assert [known.latest(), known.latest()] == [1, 1] and slow.begun == 2
    slow.fails = False
    known.forget()
    assert known.latest() == 3


def test_a_first_look_that_fails_is_results_and_tried_again(slow: Slow, clock: Clock) -> None:
    known = refresh(slow, clock)
    slow.fails = True
    with pytest.raises(OSError, match="the disk fails"):
        known.latest()
    slow.fails = False
    assert known.latest() == 2


def test_what_is_known_is_read_without_a_look(slow: Slow, clock: Clock) -> None:
    refresh_ = refresh(slow, clock)
    assert (refresh_.known, slow.begun) == (None, 0)
    assert refresh_.latest() == 1
    clock.now += 100
    assert (refresh_.known, slow.begun) == (1, 1)

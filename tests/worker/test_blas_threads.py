"""The threads of the BLAS follow what other programs leave free."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.core.blas import best_blas
from inference.worker.blas_threads import BlasThreads, CoreTimes, core_times, follow_load


def counts(maximum: int, cores: int, others: list[float], own: float = 1.0) -> list[int]:
    """The number of threads after each second in which other programs use so many cores."""
    moments: list[CoreTimes | None] = [CoreTimes(0.0, 0.0, 0.0)]
    for used in others:
        last = moments[-1]
        assert last
        moments.append(CoreTimes(last.at + 1, last.busy + own + used, last.own + own))
    read: Iterator[CoreTimes | None] = iter(moments)
    put: list[int] = []
    threads = BlasThreads(put.append, maximum, cores, lambda: next(read))
    found = []
    for _ in moments:
        threads.adjust()
        found.append(threads.count)
    assert put == [count for before, count in zip([maximum, *found], found, strict=False) if before != count]
    return found[1:]


def test_all_threads_are_used_on_a_machine_that_is_free() -> None:
    assert counts(2, 2, [0.0, 0.1, 0.3, 0.2]) == [2, 2, 2, 2]


def test_a_busy_core_is_left_to_the_others_and_taken_again() -> None:
    found = counts(2, 2, [1.9] * 5 + [0.0] * 5)
    assert found[1:5] == [1] * 4
    assert found[-1] == 2


def test_a_short_disturbance_changes_nothing() -> None:
    assert counts(8, 8, [0.1, 0.7, 0.1, 0.1]) == [8, 8, 8, 8]


def test_there_is_always_one_thread() -> None:
    assert counts(4, 4, [9.0] * 5)[-1] == 1


def test_of_many_cores_those_that_are_free_are_used() -> None:
    assert counts(16, 16, [4.0] * 9)[-1] == 12
    assert counts(6, 16, [4.0] * 9)[-1] == 6


def test_a_system_that_does_not_tell_changes_nothing(tmp_path: Path) -> None:
    assert core_times(tmp_path / "nothing") is None
    threads = BlasThreads(lambda count: None, 4, 4, lambda: None)
    threads.adjust()
    threads.adjust()
    assert threads.count == 4


@pytest.mark.parametrize("line", ["cpu0 a b c d e f g h", "cpu0"])
def test_a_file_that_is_not_as_expected_is_no_error(line: str, tmp_path: Path) -> None:
    (tmp_path / "stat").write_text(line + "\n")
    core_times(tmp_path / "stat")


def test_only_the_cores_of_this_process_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {1}, raising=False)
    monkeypatch.setattr("os.sysconf", lambda name: 100)
    (tmp_path / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\ncpu1 100 0 50 700 30 0 0 50 80 0\nintr 5\n"
    )
    found = core_times(tmp_path / "stat")
    assert found and found.busy == 2.0


@pytest.mark.skipif(not best_blas().path, reason="there is no BLAS")
def test_the_library_has_the_number_that_was_set() -> None:
    threads = follow_load(best_blas().path)
    if threads is None:  # one core
        return
    threads._set_threads(1)
    assert follow_load(best_blas().path) is None  # one thread: nothing to follow
    threads._set_threads(threads.count)


def test_a_library_without_threads_is_left_alone() -> None:
    assert follow_load("libm.so.6") is None

from inference.pool.workers.watchdog import Watchdog


def watchdog_of(limit_s: float) -> Watchdog:
    """One whose worker is up."""
    watchdog = Watchdog(limit_s)
    watchdog.note_started()
    return watchdog


def ticks_until_stuck(watchdog: Watchdog, *, is_busy: bool, most: int = 100, steps: int | None = None) -> int:
    """How many ticks it takes; `most` when it never is. A heartbeat with `steps` comes before each."""
    for count in range(most):
        if steps is not None:
            watchdog.note_heartbeat(steps)
        if watchdog.tick(is_busy=is_busy):
            return count
    return most


def test_a_busy_worker_without_progress_is_stuck_after_the_limit() -> None:
    watchdog = watchdog_of(8.0)
    assert ticks_until_stuck(watchdog, is_busy=True, steps=0) * watchdog.tick_s == 8.0


def test_an_idle_worker_that_beats_is_never_stuck() -> None:
    assert ticks_until_stuck(watchdog_of(8.0), is_busy=False, steps=0) == 100


def test_a_worker_that_says_nothing_at_all_is_stuck_even_without_work() -> None:
    assert ticks_until_stuck(watchdog_of(8.0), is_busy=False) == 8


def test_steps_that_go_on_are_progress() -> None:
    watchdog = watchdog_of(2.0)
    for steps in range(50):
        watchdog.note_heartbeat(steps)
        assert not watchdog.tick(is_busy=True)


def test_progress_starts_the_count_anew() -> None:
    watchdog = watchdog_of(8.0)
    for _ in range(8):
        watchdog.tick(is_busy=True)
    watchdog.note_progress()
    assert ticks_until_stuck(watchdog, is_busy=True) == 8


def test_time_before_the_work_began_does_not_count() -> None:
    watchdog = watchdog_of(8.0)
    ticks_until_stuck(watchdog, is_busy=False, steps=0)
    assert ticks_until_stuck(watchdog, is_busy=True, steps=0) == 8


def test_a_worker_that_starts_has_the_time_that_imports_take() -> None:
    watchdog = Watchdog(1.0)
    assert ticks_until_stuck(watchdog, is_busy=False, most=10_000) * watchdog.tick_s == 120.0
    assert ticks_until_stuck(Watchdog(200.0), is_busy=False, most=10_000) == 200


def test_a_worker_that_misses_heartbeats_is_late_until_the_next() -> None:
    watchdog = watchdog_of(120.0)
    for _ in range(20):
        watchdog.tick(is_busy=False)
    assert watchdog.is_late
    watchdog.note_heartbeat(0)
    assert not watchdog.is_late


def test_a_busy_worker_is_late_after_half_of_the_limit_without_progress() -> None:
    watchdog, late = watchdog_of(40.0), []
    for _ in range(30):
        watchdog.note_heartbeat(0)
        watchdog.tick(is_busy=True)
        late.append(watchdog.is_late)
    assert late.index(True) == 20
    watchdog.note_heartbeat(1)
    assert not watchdog.is_late


def test_a_worker_that_still_imports_is_not_late() -> None:
    watchdog = Watchdog(40.0)
    for _ in range(30):
        watchdog.tick(is_busy=False)
    assert not watchdog.is_late

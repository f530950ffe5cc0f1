import pytest

from inference.pool.residency.crash_backoff import CrashBackoff


def after_deaths(count: int, lived_s: float = 1.0) -> CrashBackoff:
    """So many deaths in a row, all at the time 0."""
    setbacks = CrashBackoff()
    for _ in range(count):
        setbacks.loaded()
        setbacks.died(0.0, lived_s, "killed")
    return setbacks


@pytest.mark.parametrize(("deaths", "pause_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 300), (6, 300)])
def test_each_quick_death_doubles_the_pause_until_the_breaker_opens(deaths: int, pause_s: float) -> None:
    setbacks = after_deaths(deaths)
    assert setbacks.retry_in_s(0.0) == pause_s
    assert (setbacks.may_load(pause_s - 0.1), setbacks.may_load(pause_s)) == (False, True)


def test_the_breaker_opens_at_the_fifth_death_and_closes_by_itself() -> None:
    assert not after_deaths(4).is_broken(0.0)
    assert after_deaths(5).is_broken(299.0)
    assert not after_deaths(5).is_broken(300.0)


def test_a_worker_that_lived_long_enough_starts_anew() -> None:
    setbacks = after_deaths(4)
    setbacks.died(0.0, 60.0, "killed")
    assert (setbacks.retry_in_s(0.0), setbacks.restarts) == (0.0, 5)


def test_an_operator_closes_the_breaker() -> None:
    setbacks = after_deaths(9)
    setbacks.forgive()
    assert (setbacks.is_broken(0.0), setbacks.may_load(0.0), setbacks.restarts) == (False, True, 9)


def test_a_failed_load_is_tried_again_after_two_seconds_and_forgotten_after_five_minutes() -> None:
    setbacks = CrashBackoff()
    setbacks.failed(10.0, "no weights")
    assert (setbacks.may_load(11.9), setbacks.may_load(12.0)) == (False, True)
    assert (setbacks.is_shown(309.9), setbacks.is_shown(310.0)) == (True, False)
    assert setbacks.retry_in_s(10.0) == 0.0


def test_a_load_that_went_well_clears_what_went_wrong_before() -> None:
    failed, dead = CrashBackoff(), after_deaths(1)
    failed.failed(0.0, "no weights")
    failed.loaded()
    dead.loaded()
    assert (failed.reason, dead.reason) == ("", "")

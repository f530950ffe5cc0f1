from inference.pool.residency.crash_backoff import CrashBackoff
from tests.each import each


def after_deaths(count: int, lived_s: float = 1.0) -> CrashBackoff:
    """So many deaths in a row, all at the time 0."""
    backoff = CrashBackoff()
    for _ in range(count):
        backoff.note_load()
        backoff.note_death(0.0, lived_s, "killed")
    return backoff


@each(("deaths", "pause_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 300), (6, 300)])
def test_each_quick_death_doubles_the_pause_until_the_breaker_opens(deaths: int, pause_s: float) -> None:
    backoff = after_deaths(deaths)
    assert backoff.retry_in_s(0.0) == pause_s
    assert (backoff.may_load(pause_s - 0.1), backoff.may_load(pause_s)) == (False, True)


def test_the_breaker_opens_at_the_fifth_death_and_closes_by_itself() -> None:
    assert not after_deaths(4).is_breaker_open(0.0)
    assert after_deaths(5).is_breaker_open(299.0)
    assert not after_deaths(5).is_breaker_open(300.0)


def test_a_worker_that_lived_long_enough_starts_anew() -> None:
    backoff = after_deaths(4)
    backoff.note_death(0.0, 60.0, "killed")
    assert (backoff.retry_in_s(0.0), backoff.restarts) == (0.0, 5)


def test_an_operator_closes_the_breaker() -> None:
    backoff = after_deaths(9)
    backoff.reset()
    assert (backoff.is_breaker_open(0.0), backoff.may_load(0.0), backoff.restarts) == (False, True, 9)


def test_a_failed_load_is_tried_again_after_two_seconds_and_forgotten_after_five_minutes() -> None:
    backoff = CrashBackoff()
    backoff.note_failed_load(10.0, "no weights")
    assert (backoff.may_load(11.9), backoff.may_load(12.0)) == (False, True)
    assert (backoff.is_shown(309.9), backoff.is_shown(310.0)) == (True, False)
    assert backoff.retry_in_s(10.0) == 0.0


def test_a_load_that_went_well_clears_what_went_wrong_before() -> None:
    failed, dead = CrashBackoff(), after_deaths(1)
    failed.note_failed_load(0.0, "no weights")
    failed.note_load()
    dead.note_load()
    assert (failed.reason, dead.reason) == ("", "")

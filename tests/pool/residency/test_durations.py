import pytest

from inference.pool.residency.durations import Durations, retry_after
from tests.each import each


@each(
    ("waiting", "running", "lease_s", "load_s", "seconds"),
    [
        (0, 0, 0.1, 0.0, 1),  # never below a second
        (0, 1, 4.0, 0.0, 4),
        (0, 1, 4.0, 2.5, 7),  # and a load before it
        (7, 4, 4.0, 0.0, 8),  # eight in rounds of four
        (64, 1, 30.0, 0.0, 120),  # never above two minutes
    ],
)
def test_it_is_the_load_and_the_rounds_of_leases_before_ones_own(
    waiting: int, running: int, lease_s: float, load_s: float, seconds: int
) -> None:
    assert retry_after(waiting=waiting, running=running, lease_s=lease_s, load_s=load_s) == seconds


def test_the_newest_lease_counts_a_fifth() -> None:
    durations = Durations()
    before = durations.lease_s
    durations.add_lease("a", before + 10)
    assert durations.lease_s == pytest.approx(before + 2)


def test_a_models_own_leases_are_distinguished() -> None:
    durations = Durations()
    durations.add_lease("a", 10)
    durations.add_lease("a", 20)
    assert (durations.lease_s_of("a"), durations.lease_s_of("b")) == (12, None)


def test_a_model_that_was_never_loaded_is_taken_for_the_others_mean() -> None:
    durations = Durations()
    durations.add_load("a", 2.0)
    durations.add_load("b", 6.0)
    assert (durations.load_s("a"), durations.load_s("new")) == (2.0, 4.0)
    assert (durations.known_load_s("a"), durations.known_load_s("new")) == (2.0, 0.0)

"""When streams will have ended, and how long later ones may keep an earlier one waiting."""

import asyncio

from inference.pool.residency.durations import Durations
from inference.pool.residency.lease import PendingLease
from inference.pool.residency.resident import Resident, Stream
from inference.pool.scheduling.overtaking import Overtaking
from tests.each import each
from tests.fakes import FakeRunner, card

NOW = 100.0


def resident(*streams: tuple[int, float]) -> Resident:
    """Model a with streams by their number and when they were granted."""
    made = [Stream(number, granted_at) for number, granted_at in streams]
    return Resident(card("a"), FakeRunner(), NOW, streams=made)


async def pending(number: int, since: float, overtaken_s: float = 0.0) -> PendingLease:
    """A request that every stream with a higher number has overtaken."""
    future: asyncio.Future[Resident] = asyncio.get_running_loop().create_future()
    overtaken_by = set(range(number + 1, 10))
    made = PendingLease(card("b"), future, since, number=number, overtaken_s=overtaken_s)
    made.overtaken_by = overtaken_by
    return made


def durations(run_s: float | None = 10.0, load_s: float | None = None) -> Durations:
    made = Durations()
    if run_s is not None:
        made.add_lease("a", run_s)
    if load_s is not None:
        made.add_load("b", load_s)
    return made


def test_a_stream_runs_as_long_as_its_models_usually_do() -> None:
    made = resident((1, 95))
    assert Overtaking([made], durations(10), NOW).end_of_next(made) == NOW + 10


def test_where_none_has_ended_yet_it_runs_as_long_as_the_oldest() -> None:
    made = resident((1, 60), (2, 95))
    assert Overtaking([made], durations(None), NOW).end_of_next(made) == NOW + 40


async def test_as_long_as_it_has_to_wait_anyway_it_may_be_kept_once_more() -> None:
    made = resident((1, 95))
    estimate = Overtaking([made], durations(10, load_s=4), NOW)
    # Strict order: 8 seconds so far, 5 for the stream before it and 4 for its load.
    assert estimate.latest_for(await pending(5, since=92)) == NOW + 5 + 8 + 5 + 4


async def test_what_overtakers_took_already_is_taken_off_twice() -> None:
    estimate = Overtaking([resident((9, 95))], durations(10, load_s=4), NOW)
    assert estimate.latest_for(await pending(5, since=80, overtaken_s=7)) == NOW + 20 + 4 - 2 * 7


async def test_what_is_a_guess_gives_no_time_away() -> None:
    estimate = Overtaking([resident((1, 95))], durations(None), NOW)
    assert estimate.latest_for(await pending(5, since=99)) == NOW + 1


async def test_nobody_is_kept_by_what_ends_before_its_turn() -> None:
    made = resident((1, 100))
    estimate = Overtaking([made], durations(10), NOW)
    assert estimate.end_of_next(made) <= estimate.latest_for(await pending(5, since=50, overtaken_s=90))


@each(
    ("streams", "is_overtaken"),
    [([], False), ([(1, 95)], False), ([(9, 95)], True), ([(1, 90), (9, 95)], False)],
)
async def test_it_is_overtaken_once_only_later_ones_run(
    streams: list[tuple[int, float]], is_overtaken: bool
) -> None:
    estimate = Overtaking([resident(*streams)], durations(), NOW)
    assert estimate.is_overtaken(await pending(5, since=92)) == is_overtaken

from datetime import UTC, datetime

import pytest

from inference.accounts.usage_meter import UsageMeter
from inference.core.errors import RateLimited
from inference.core.principal import Allowance

DAY = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock(DAY.timestamp() + 3600)


@pytest.fixture
def meter(clock: Clock) -> UsageMeter:
    return UsageMeter(clock, clock)


def refused(act: object, *given: object) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        act(*given)  # type: ignore[operator]
    return caught.value


def test_requests_are_counted_over_a_sliding_minute(meter: UsageMeter, clock: Clock) -> None:
    two = Allowance(requests_per_minute=2)
    meter.count_request(two)
    clock.at += 20
    meter.count_request(two)
    clock.at += 30
    assert refused(meter.count_request, two).retry_after == pytest.approx(10)
    clock.at += 10
    meter.count_request(two)


def test_what_was_refused_does_not_count(meter: UsageMeter, clock: Clock) -> None:
    one = Allowance(requests_per_minute=1)
    meter.count_request(one)
    for _ in range(5):
        clock.at += 10
        refused(meter.count_request, one)
    clock.at += 10
    meter.count_request(one)


def test_a_lowered_limit_says_when_there_is_room_under_it(meter: UsageMeter, clock: Clock) -> None:
    for _ in range(3):
        meter.count_request(Allowance(requests_per_minute=9))
        clock.at += 10
    assert refused(meter.count_request, Allowance(requests_per_minute=1)).retry_after == pytest.approx(50)


def test_todays_tokens_end_at_midnight(meter: UsageMeter, clock: Clock) -> None:
    ten = Allowance(tokens_per_day=10)
    meter.spend(10)
    assert refused(meter.check_tokens, ten).retry_after == pytest.approx(23 * 3600)
    clock.at += 23 * 3600
    meter.check_tokens(ten)
    assert meter.tokens == 0


def test_what_an_earlier_process_spent_counts_once(meter: UsageMeter) -> None:
    meter.begin_day(DAY.date(), 7)
    meter.spend(2)
    meter.begin_day(DAY.date(), 9)  # the database knows of these two by now
    assert meter.tokens == 9


def test_what_was_spent_yesterday_is_not_taken_over(meter: UsageMeter) -> None:
    meter.begin_day(datetime(2026, 1, 1, tzinfo=UTC).date(), 7)
    assert meter.tokens == 0


def test_what_is_left_is_reported_for_each_limit(meter: UsageMeter, clock: Clock) -> None:
    allowance = Allowance(requests_per_minute=3, tokens_per_day=10)
    meter.count_request(allowance)
    clock.at += 20
    meter.spend(12)
    left = meter.left(allowance)
    assert (left["requests"].limit, left["requests"].remaining, left["requests"].reset_s) == (3, 2, 40)
    assert (left["tokens"].limit, left["tokens"].remaining) == (10, 0)
    assert meter.left(Allowance()) == {}


def test_a_use_is_recorded_once_a_minute(meter: UsageMeter, clock: Clock) -> None:
    due = []
    for _ in range(4):
        due.append(meter.is_record_due)
        if meter.is_record_due:
            meter.note_record()
        clock.at += 30
    assert due == [True, False, True, False]

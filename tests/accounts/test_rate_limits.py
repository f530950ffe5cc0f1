"""The limits of keys and accounts, in one process and at fronts that share a Redis."""

from datetime import UTC, datetime

import pytest

from inference.accounts.rate_limits import Limits
from inference.core.errors import RateLimited
from inference.core.principal import Allowance, Principal

DAY = datetime(2026, 1, 2, tzinfo=UTC)


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock(DAY.timestamp() + 3600)


def holder(**allowance: int) -> Principal:
    return Principal(kind="key", name="mlx-1", allowance=Allowance(**allowance))


async def test_streams_are_given_back_however_they_end(clock: Clock) -> None:
    limits = Limits(clock, clock)
    one = holder(streams=1)
    with pytest.raises(ZeroDivisionError):
        async with limits.stream(one) as meter:
            assert meter is limits.of(one)
            with pytest.raises(RateLimited, match="at once"):
                await limits.stream(one).__aenter__()
            raise ZeroDivisionError
    assert limits.of(one).streams == 0
    async with limits.stream(one):
        assert limits.of(one).streams == 1


async def test_the_operators_own_key_and_users_have_no_limits(clock: Clock) -> None:
    limits = Limits(clock, clock)
    for caller in (Principal(kind="key"), Principal(kind="user", name="mlx-1")):
        async with limits.stream(caller) as meter:
            assert meter is None and limits.of(holder()).streams == 0

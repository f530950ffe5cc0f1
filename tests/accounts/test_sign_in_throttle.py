"""How long a sign-in has to wait after failures, by account and by address."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from inference.accounts import sign_in_throttle
from inference.accounts.sign_in_throttle import SignInThrottled
from inference.models.sign_in import SignInAttempts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HERE, THERE, THIS_MACHINE = "203.0.113.7", "198.51.100.9", "127.0.0.1"


def fail(times: int, name: str = "ann", address: str = HERE, at: datetime = NOW) -> None:
    for _ in range(times):
        sign_in_throttle.admit(name, address, at)


def wait_s(name: str = "ann", address: str = HERE, at: datetime = NOW) -> int:
    """What the next attempt has to wait; it is not counted where it need not."""
    before = list(SignInAttempts.objects.values())
    try:
        sign_in_throttle.admit(name, address, at)
    except SignInThrottled as throttled:
        return throttled.retry_after
    SignInAttempts.objects.all().delete()
    SignInAttempts.objects.bulk_create(SignInAttempts(**row) for row in before)
    return 0


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_five_failures_are_free_and_each_further_one_doubles_the_wait() -> None:
    fail(4)
    assert wait_s() == 0
    fail(1)
    assert wait_s() == 15
    assert (wait_s(at=later(14)), wait_s(at=later(15))) == (1, 0)
    fail(1, at=later(15))
    assert wait_s(at=later(15)) == 30


def test_the_wait_has_an_end() -> None:
    at = NOW
    for _ in range(14):
        at += timedelta(seconds=wait_s(at=at))
        fail(1, at=at)
    assert wait_s(at=at) == 900
    assert wait_s(at=at + timedelta(hours=1, seconds=1)) == 0


def test_others_need_not_wait() -> None:
    fail(5)
    assert (wait_s("bo"), wait_s(address=THERE)) == (0, 0)


def test_one_address_may_not_try_all_accounts() -> None:
    for number in range(20):
        fail(1, f"user{number}")
    assert (wait_s("zoe"), wait_s("zoe", THERE)) == (15, 0)


def test_all_of_an_ipv6_network_is_one_address() -> None:
    for number in range(5):
        fail(1, "ann", f"2001:db8::{number + 1:x}")
    assert (wait_s("ann", "2001:db8::99"), wait_s("ann", "2001:db8:1::99")) == (15, 0)
    fail(5, "bo", f"::ffff:{HERE}")
    assert wait_s("bo", HERE) == 15


def test_this_machine_is_no_address_of_one_client() -> None:
    for number in range(30):
        fail(1, f"user{number}", THIS_MACHINE)
    assert wait_s("zoe", THIS_MACHINE) == 0
    fail(5, "ann", "::1")
    assert wait_s("ann", THIS_MACHINE) == 15
    for number in range(9):
        fail(1, "bo", THIS_MACHINE, later(100 * number))
    assert wait_s("bo", THIS_MACHINE, later(800)) == 60


def test_many_addresses_slow_each_other_down_by_a_minute_at_most() -> None:
    for number in range(25):
        fail(1, "ann", f"198.51.100.{number}", later(100 * number))
    assert wait_s("ann", "203.0.113.99", later(2400)) == 60


def test_nobody_locks_the_owner_out() -> None:
    fail(1)
    sign_in_throttle.note_success("ann", HERE, NOW)
    for number in range(25):
        fail(1, "ann", f"198.51.100.{number}", later(100 * number))
    assert wait_s("ann", HERE, later(2400)) == 0


def test_a_success_forgets_the_failures() -> None:
    fail(5)
    sign_in_throttle.note_success("ann", HERE, NOW)
    assert wait_s() == 0


def test_parallel_attempts_count_before_their_passwords_are_checked() -> None:
    fail(5)
    with pytest.raises(SignInThrottled):
        sign_in_throttle.admit("ann", HERE, NOW)


def test_a_refused_attempt_does_not_prolong_the_wait() -> None:
    fail(5)
    assert [wait_s(at=later(second)) for second in (5, 10)] == [10, 5]


@pytest.mark.parametrize("lifted", ["ann", HERE])
def test_an_operator_lifts_it_for_an_account_or_an_address(lifted: str) -> None:
    fail(5)
    fail(5, "bo", THERE)
    assert sign_in_throttle.lift(lifted) == 5
    assert (wait_s(), wait_s("bo", THERE)) == (0, 15)
    assert sign_in_throttle.lift(lifted) == 0


def test_no_name_is_kept_as_it_was_typed() -> None:
    User.objects.create_user("ann")
    fail(1, "ann")
    fail(1, "hunter2: a password in the wrong field")
    rows = SignInAttempts.objects.all()
    assert not [row for row in rows if "hunter" in row.account or "ann" in row.account]
    assert sorted(sign_in_throttle.names().get(row.account, "") for row in rows) == ["", "ann"]


def test_what_counts_no_more_is_deleted() -> None:
    for name, failed, succeeded in (
        ("old", 2, None),
        ("known", 2, 24),
        ("gone", 2, 24 * 31),
        ("new", 0, None),
    ):
        now = datetime.now(UTC)
        SignInAttempts.objects.create(
            account=name,
            failures=1,
            failed_at=now - timedelta(hours=failed),
            succeeded_at=now - timedelta(hours=succeeded) if succeeded else None,
        )
    sign_in_throttle.forget_old()
    assert set(SignInAttempts.objects.values_list("account", flat=True)) == {"known", "new"}

"""The throttle of sign-ins, per account and per address; its counts outlive a restart.

An attempt is counted as a failure before the password is checked, so that parallel attempts are counted too;
a success undoes this. After a few failures each further one doubles the wait:

- of one account from one address,
- of one address for any accounts, so that it cannot try one password on all of them,
- of one account from all addresses, by a minute at most, and not for an address from which its owner has
  signed in before: nobody may lock the owner out.

Requests from this machine have no address of their own: the proxy in front of the site sends them, unless
MLX_SERVER_TRUSTED_PROXIES names it. Names that no account has are counted alike, so that the throttle does
not tell them apart. Django-axes counts an attempt after its password was checked, stores what was typed as a
name, which may be a password, and locks accounts for their owners, too.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Max, Q, Sum
from django.utils.crypto import salted_hmac

from inference.core import addresses
from inference.models.sign_in import SignInAttempts

_FORGET_AFTER = timedelta(hours=1)  # failures count for so long after the last one
_KNOWN_FOR = timedelta(days=30)  # an address, after a sign-in from it
_FIRST_WAIT_S = 15.0
_MOST_WAIT_S, _MOST_WAIT_OF_ACCOUNT_S = 900.0, 60.0
_FREE, _FREE_OF_MANY = 5, 20  # failures without a wait


class SignInThrottled(Exception):
    """Too many attempts failed; the next one may come in `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many failed attempts; wait for {retry_after:.0f} s")
        self.retry_after = math.ceil(retry_after)


def digest(name: str) -> str:
    """What stands for the name of an account in the table."""
    return salted_hmac("inference.sign_in", name, algorithm="sha256").hexdigest()


def admit(name: str, address: str, now: datetime | None = None) -> None:
    """Count an attempt of `name` from `address`; raises SignInThrottled without counting it."""
    now = now or datetime.now(UTC)
    place = addresses.neighbourhood(address)
    with transaction.atomic():
        wait_s = _wait_s(digest(name), place, now)
        if wait_s > 0:
            raise SignInThrottled(wait_s)
        row, _ = SignInAttempts.objects.get_or_create(account=digest(name), address=place)
        row.failures = row.failures + 1 if _is_recent(row.failed_at, now) else 1
        row.failed_at = now
        row.save(update_fields=["failures", "failed_at"])


def note_success(name: str, address: str, now: datetime | None = None) -> None:
    """The attempt that was admitted had the right password."""
    rows = SignInAttempts.objects.filter(account=digest(name), address=addresses.neighbourhood(address))
    rows.update(failures=0, failed_at=None, succeeded_at=now or datetime.now(UTC))


def take_back(name: str, address: str) -> None:
    """Forget the attempts under a name that no account has and that comes once."""
    place = addresses.neighbourhood(address)
    SignInAttempts.objects.filter(account=digest(name), address=place).delete()


def lift(name_or_address: str) -> int:
    """Forget the failures of an account or of an address; return how many there were."""
    rows = SignInAttempts.objects.filter(
        Q(account=digest(name_or_address))
        | Q(address=addresses.neighbourhood(name_or_address) or name_or_address)
    ).filter(failures__gt=0)
    failures: int = rows.aggregate(sum=Sum("failures"))["sum"] or 0
    rows.update(failures=0, failed_at=None)
    return failures


def forget_old() -> None:
    """Delete what counts no more."""
    now = datetime.now(UTC)
    has_failed = Q(failed_at__gte=now - _FORGET_AFTER)
    is_known = Q(succeeded_at__gte=now - _KNOWN_FOR)
    SignInAttempts.objects.exclude(has_failed | is_known).delete()


def names() -> Mapping[str, str]:
    """The names of all accounts, by what stands for them in the table."""
    known: Iterable[str] = get_user_model().objects.values_list("username", flat=True)
    return {digest(name): name for name in known}


def _wait_s(account: str, place: str, now: datetime) -> float:
    """Seconds until the next attempt; 0 for at once."""
    failed = SignInAttempts.objects.filter(failed_at__gt=now - _FORGET_AFTER)
    own = failed.filter(account=account, address=place)
    # Without an address, anybody may have failed: the owner must not wait for long.
    waits = [_wait_of(own, _FREE, _MOST_WAIT_S if place else _MOST_WAIT_OF_ACCOUNT_S, now)]
    if place:
        waits.append(_wait_of(failed.filter(address=place), _FREE_OF_MANY, _MOST_WAIT_S, now))
    if not _is_known(account, place, now):
        waits.append(_wait_of(failed.filter(account=account), _FREE_OF_MANY, _MOST_WAIT_OF_ACCOUNT_S, now))
    return max(waits)


def _wait_of(rows: "models.QuerySet[SignInAttempts]", free: int, most_s: float, now: datetime) -> float:
    found = rows.aggregate(failures=Sum("failures"), last=Max("failed_at"))
    surplus = (found["failures"] or 0) - free
    if surplus < 0 or not found["last"]:
        return 0.0
    wait_s = min(most_s, _FIRST_WAIT_S * 2.0 ** min(surplus, 16))
    return max(0.0, wait_s - float((now - found["last"]).total_seconds()))


def _is_known(account: str, place: str, now: datetime) -> bool:
    """Whether somebody has signed in to the account from this address."""
    rows = SignInAttempts.objects.filter(account=account, address=place)
    return bool(place) and rows.filter(succeeded_at__gt=now - _KNOWN_FOR).exists()


def _is_recent(failed_at: datetime | None, now: datetime) -> bool:
    return failed_at is not None and failed_at > now - _FORGET_AFTER

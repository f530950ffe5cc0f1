from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from inference.core import key_secret
from inference.models.api_key import ApiKey, KeyDay
from inference.models.usage_limits import today
from tests.accounts.making import make_key

pytestmark = pytest.mark.django_db


def test_the_secret_is_nowhere_in_the_row() -> None:
    key, made = make_key()
    row = " ".join(map(str, ApiKey.objects.filter(pk=key.pk).values_list()[0]))
    assert made.split("-", 2)[2] not in row
    assert key_secret.digest(made) in row and key_secret.prefix_of(made) in row


def test_it_may_what_was_ticked() -> None:
    assert make_key(can_embed=False, can_manage=True)[0].scopes == ("chat", "manage")


@pytest.mark.parametrize("field", ["requests_per_minute", "tokens_per_day", "concurrent_streams"])
def test_a_limit_of_nothing_is_refused(field: str) -> None:
    key, _ = make_key(**{field: 0})
    with pytest.raises(ValidationError) as caught:
        key.full_clean()
    assert list(caught.value.message_dict) == [field]


def test_its_state_says_why_it_opens_nothing() -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert make_key()[0].state == "good"
    assert make_key(expires_at=past)[0].state == "expired"
    assert make_key(is_revoked=True)[0].state == "revoked"


def test_only_todays_tokens_count_today() -> None:
    key, _ = make_key()
    KeyDay.objects.create(key=key, day=today().date(), prompt_tokens=3, completion_tokens=4)
    KeyDay.objects.create(key=key, day=today().date() - timedelta(days=1), prompt_tokens=90)
    other, _ = make_key()
    used = {row.pk: row.tokens_today for row in ApiKey.objects.with_tokens_today()}  # type: ignore[attr-defined]
    assert used == {key.pk: 7, other.pk: 0}


def test_days_without_use_are_in_the_list_of_the_last_ones() -> None:
    key, _ = make_key()
    KeyDay.objects.create(key=key, day=today().date() - timedelta(days=2), prompt_tokens=5)
    KeyDay.objects.create(key=key, day=today().date() - timedelta(days=40), prompt_tokens=90)
    assert [day.tokens for day in KeyDay.objects.last_days(key, 4)] == [0, 5, 0, 0]


def test_a_busy_key_is_seen_once_a_minute() -> None:
    key, _ = make_key()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for seconds in (0, 59, 60):
        key.record_use(at + timedelta(seconds=seconds))
    key.refresh_from_db()
    assert key.last_used_at == at + timedelta(seconds=60)


def test_a_renewed_key_keeps_all_but_its_secret_and_its_end() -> None:
    key, first = make_key(requests_per_minute=3, can_manage=True, allowed_models=["tiny"])
    KeyDay.objects.create(key=key, day=today().date(), prompt_tokens=3)
    end = datetime.now(UTC) + timedelta(days=30)
    second = key.renew(expires_at=end, grace=timedelta(hours=24))
    key = ApiKey.objects.get()
    assert key_secret.prefix_of(second) == key.prefix == key_secret.prefix_of(first) and second != first
    assert (key.requests_per_minute, key.can_manage, key.allowed_models) == (3, True, ["tiny"])
    assert key.expires_at == end and key.days.count() == 1
    assert key_secret.is_right(second, key.digest)
    (old,) = key.replaced_secrets
    assert key_secret.is_right(first, old.digest) and key.old_secret_end == old.ends_at
    assert timedelta(hours=23) < old.ends_at - datetime.now(UTC) <= timedelta(hours=24)


def test_an_old_secret_gets_no_more_time_than_it_had() -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    key, _ = make_key(expires_at=soon)
    key.renew(expires_at=None, grace=timedelta(days=7))
    assert [key.old_secret_end] == [soon]
    key.renew(expires_at=None, grace=timedelta(days=7))  # the second secret had no end, the first keeps its
    assert key.replaced_secrets[1].ends_at == soon
    key.renew(expires_at=None, grace=timedelta(0))
    assert (key.old_secret_end, len(key.replaced_secrets)) == (None, 3)
    for _ in range(9):
        key.renew(expires_at=None, grace=timedelta(0))
    assert len(key.replaced_secrets) == 8


def test_a_renewal_gives_it_as_much_time_as_it_had() -> None:
    assert make_key()[0].end_after_renewal is None
    key, _ = make_key(expires_at=datetime.now(UTC) + timedelta(days=30))
    key.renew(expires_at=datetime.now(UTC) + timedelta(days=90), grace=timedelta(0))
    end = key.end_after_renewal
    assert end and timedelta(days=89) < end - datetime.now(UTC) <= timedelta(days=90)
    forever, _ = make_key(name="old", expires_at=datetime(9999, 12, 31, tzinfo=UTC))
    assert forever.end_after_renewal

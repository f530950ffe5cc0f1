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

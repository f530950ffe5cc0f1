"""The form that renews a key."""

from datetime import UTC, datetime, timedelta

import pytest

from inference.accounts.key_renewal import KeyRenewalForm, may_renew
from inference.core import key_secret
from inference.models.api_key import ApiKey
from tests.accounts.making import make_key
from tests.accounts.test_own_keys import account

pytestmark = pytest.mark.django_db


def test_it_suggests_the_time_that_the_key_had_in_whole_days() -> None:
    key, _ = make_key(expires_at=datetime.now(UTC) + timedelta(days=30))
    suggested = KeyRenewalForm(key=key).initial["expires_at"]
    assert suggested.date() == (datetime.now(UTC) + timedelta(days=31)).date() and suggested.hour == 0
    assert KeyRenewalForm(key=make_key()[0]).initial["expires_at"] is None


@pytest.mark.parametrize(("hours", "is_kept"), [("0", False), ("24", True), ("168", True)])
def test_the_old_secret_works_for_the_chosen_time(hours: str, is_kept: bool) -> None:
    key, _ = make_key()
    form = KeyRenewalForm({"expires_at": "2127-01-31", "grace": hours}, key=key)
    assert form.is_valid()
    renewed, secret = form.renew(key.owner)
    assert key_secret.is_right(secret, ApiKey.objects.get().digest)
    assert renewed.expires_at == datetime(2127, 1, 31, tzinfo=UTC)
    assert (renewed.old_secret_end is not None) == is_kept
    (old,) = renewed.replaced_secrets
    assert renewed.renewed_at and old.ends_at - renewed.renewed_at == timedelta(hours=int(hours))


@pytest.mark.parametrize(
    ("fields", "name", "text"),
    [
        ({"expires_at": "2020-01-31", "grace": "0"}, "expires_at", "Enter a future day"),
        ({"expires_at": "soon", "grace": "0"}, "expires_at", "valid date"),
        ({"grace": "9999"}, "grace", "not one of the available choices"),
    ],
)
def test_a_mistake_renews_nothing(fields: dict[str, str], name: str, text: str) -> None:
    key, secret = make_key()
    assert text in str(KeyRenewalForm(fields, key=key).errors[name])
    assert key_secret.is_right(secret, ApiKey.objects.get().digest)


def test_nobody_gets_a_secret_for_what_they_may_not_do() -> None:
    ann = account("ann", "ask_servedmodel", "add_apikey")
    operator = account("bob", "run_servedmodel")
    manages, _ = make_key(can_manage=True)
    measures, _ = make_key(name="metrics", can_read_metrics=True)
    chats, _ = make_key(name="chat")
    assert [may_renew(ann, key) for key in (chats, manages, measures)] == [True, False, False]
    assert all(may_renew(operator, key) for key in (chats, manages, measures))
    chats.revoke()
    assert not may_renew(operator, chats)

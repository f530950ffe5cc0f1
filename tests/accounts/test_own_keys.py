"""An account's own keys: made by whoever may, bounded, and out of reach for others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from inference.accounts import own_keys
from inference.accounts.own_keys import OwnKeyForm
from inference.core.errors import NotFound
from inference.models.api_key import ApiKey

pytestmark = pytest.mark.django_db


def account(name: str, *rights: str) -> User:
    person = User.objects.create_user(name)
    person.groups.clear()
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return User.objects.get(pk=person.pk)


@pytest.fixture
def ann() -> User:
    return account("ann", "ask_servedmodel", "add_apikey")


def form(owner: User, /, **changes: Any) -> OwnKeyForm:
    return OwnKeyForm({"name": "laptop", "can_chat": "on"} | changes, owner=owner)


def test_whoever_may_chat_and_add_keys_makes_their_own(ann: User) -> None:
    assert own_keys.may_make(ann) and own_keys.may_see(ann)
    for other in (account("beth", "ask_servedmodel"), account("clara", "add_apikey"), AnonymousUser()):
        assert not own_keys.may_make(other) and not own_keys.may_see(other)


def test_a_key_is_its_makers_and_has_no_rights_of_operators(ann: User) -> None:
    asked = form(ann, can_manage="on", can_read_metrics="on", owner="1")
    assert asked.is_valid()
    key, secret = asked.make()
    assert (key.owner, key.scopes) == (ann, ("chat",)) and secret.startswith(key.prefix)
    assert not ApiKey.objects.filter(can_manage=True).exists()


def test_the_rules_of_the_model_hold(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = form(ann)
    assert asked.is_valid()
    asked.make()
    assert "a key with this name" in str(form(ann).errors["name"])
    past = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
    assert "future time" in str(form(ann, name="old", expires_at=past).errors["expires_at"])
    assert "at least one scope" in str(form(ann, name="none", can_chat="").errors["can_chat"])
    monkeypatch.setattr(own_keys, "MOST_KEYS", 1)
    assert not form(ann, name="one more").is_valid()


def test_only_own_keys_are_seen_and_revoked(ann: User) -> None:
    asked = form(ann)
    assert asked.is_valid()
    key, _ = asked.make()
    dora = account("dora", "ask_servedmodel", "add_apikey")
    assert list(own_keys.keys_of(dora)) == []
    with pytest.raises(NotFound):
        own_keys.revoke(dora, key.pk)
    assert own_keys.revoke(ann, key.pk).is_revoked
    ann.user_permissions.clear()
    assert own_keys.may_see(User.objects.get(pk=ann.pk))  # whoever has keys may revoke them

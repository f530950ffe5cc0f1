import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError

from inference.core import key_secret
from inference.management import new_key
from inference.models.api_key import ApiKey
from inference.serving.issued_keys import KeyWishes

pytestmark = pytest.mark.django_db


def test_a_key_that_is_not_valid_is_not_saved() -> None:
    ann = User.objects.create_user("ann")
    secret = new_key.issue(KeyWishes(name="laptop", owner="ann"))
    key = ApiKey.objects.get()
    assert key_secret.is_right(secret, key.digest) and key.owner == ann
    entry = LogEntry.objects.get()
    assert (entry.change_message, entry.object_id) == ("Created. The operator did this.", str(key.pk))
    with pytest.raises(CommandError, match="name: The owner already has a key with this name"):
        new_key.issue(KeyWishes(name="laptop", owner="ann"))
    assert ApiKey.objects.count() == LogEntry.objects.count() == 1


def test_an_unknown_owner_is_refused() -> None:
    with pytest.raises(CommandError, match="no user 'bob'"):
        new_key.owner_of("bob")
    with pytest.raises(CommandError, match="no user 'bob'"):
        new_key.issue(KeyWishes(name="laptop", owner="bob"))

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from inference.core import key_secret
from inference.management import new_key
from inference.models.api_key import ApiKey

pytestmark = pytest.mark.django_db


def test_a_key_that_is_not_valid_is_not_saved() -> None:
    ann = User.objects.create_user("ann")
    secret = new_key.save(ApiKey(name="laptop", owner=new_key.owner_of("ann")))
    assert key_secret.is_right(secret, ApiKey.objects.get().digest)
    with pytest.raises(CommandError, match="already has a key with this name"):
        new_key.save(ApiKey(name="laptop", owner=ann))
    assert ApiKey.objects.count() == 1


def test_an_unknown_owner_is_told() -> None:
    with pytest.raises(CommandError, match="no user 'bob'"):
        new_key.owner_of("bob")

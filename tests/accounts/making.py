"""Keys for tests, with their secrets."""

from typing import Any

from django.contrib.auth.models import User

from inference.models.api_key import ApiKey


def make_key(**fields: Any) -> tuple[ApiKey, str]:
    """A saved key and what its holder sends; its owner is ann unless one is given."""
    if "owner" not in fields:
        fields["owner"], _ = User.objects.get_or_create(username="ann")
    key = ApiKey(**({"name": "laptop"} | fields))
    secret = key.give_secret()
    key.save()
    return key, secret

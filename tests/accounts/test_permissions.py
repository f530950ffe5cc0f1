from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings

from inference.accounts.permissions import visitor
from inference.core.config import Config
from inference.core.principal import Principal


@pytest.fixture
def closed() -> Iterator[None]:
    with override_settings(CONFIG=Config(api_key="secret")):
        yield


def test_an_open_site_lets_anybody_in() -> None:
    assert visitor(AnonymousUser()) == Principal(kind="local")
    assert visitor(None) == Principal(kind="local")


@pytest.mark.usefixtures("closed")
def test_a_closed_site_asks_strangers_to_sign_in() -> None:
    assert visitor(AnonymousUser()) is None
    assert visitor(None) is None


@pytest.mark.usefixtures("closed")
def test_a_signed_in_user_is_named() -> None:
    assert visitor(User(username="ada")) == Principal(kind="user", name="ada", account="ada")


@pytest.mark.usefixtures("closed")
def test_a_switched_off_user_is_a_stranger() -> None:
    assert visitor(User(username="ada", is_active=False)) is None

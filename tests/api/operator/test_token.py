import time

from django.core import signing

from inference.api.operator import token
from tests.each import each


def test_a_fresh_token_is_good() -> None:
    assert token.is_good(f"Bearer {token.make()}") and token.is_good(f"bearer  {token.make()} ")


def test_a_token_of_another_secret_is_not(settings: object) -> None:
    foreign = token.make()
    settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
    assert not token.is_good(f"Bearer {foreign}")


def test_an_old_token_is_not() -> None:
    made = signing.TimestampSigner(salt="mlxsite.operator")
    made.timestamp = lambda: signing.b62_encode(int(time.time()) - token.LASTS_S - 2)  # type: ignore[method-assign]
    old = made.sign_object("operator")
    assert not token.is_good(f"Bearer {old}")


def test_what_the_site_signs_for_other_ends_is_not() -> None:
    assert not token.is_good(f"Bearer {signing.dumps('operator')}")
    assert not token.is_good(f"Bearer {signing.dumps('else', salt='mlxsite.operator')}")


@each("header", ["", "Bearer", "Bearer x", "Bearer a:b:c", "Bearer \udce9", "Basic {}", "{}"])
def test_nothing_else_is_good(header: str) -> None:
    assert not token.is_good(header.format(token.make()))

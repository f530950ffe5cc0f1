from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import override_settings

from inference.storage.encrypted_text import Undecryptable, decrypt, encrypt
from tests.each import each


def test_what_is_stored_says_nothing_and_is_read_again() -> None:
    stored = encrypt("s3cret ü", "x")
    assert "s3cret" not in stored and stored != encrypt("s3cret ü", "x")
    assert decrypt(stored, "x") == "s3cret ü"


@each("make", [lambda: "", lambda: "nonsense", lambda: "ü", lambda: encrypt("a", "other")])
def test_what_was_not_encrypted_for_this_is_refused(make: Callable[[], str]) -> None:
    with pytest.raises(Undecryptable):
        decrypt(make(), "x")


def test_another_secret_key_reads_it_only_as_a_fallback() -> None:
    stored, before = encrypt("s3cret", "x"), settings.SECRET_KEY
    with override_settings(SECRET_KEY="k" * 50):
        with pytest.raises(Undecryptable):
            decrypt(stored, "x")
        with override_settings(SECRET_KEY_FALLBACKS=[before]):
            assert decrypt(stored, "x") == "s3cret"

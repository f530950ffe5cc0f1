"""Text that a client carries for this site."""

import pytest
from django.test import override_settings

from inference.api.http.sealed_text import MARK, SealBroken, seal, unseal
from tests.each import each


def test_a_sealed_text_is_read_again() -> None:
    sealed = seal("thoughts é\n" * 50, "reasoning")
    assert unseal(sealed, "reasoning") == "thoughts é\n" * 50
    assert len(sealed) < 300  # it is compressed


def test_a_value_of_another_server_is_none_of_ours() -> None:
    assert unseal("gAAAAABo", "reasoning") is None


@each("change", [lambda sealed: sealed[:-1], lambda sealed: f"{MARK}x", lambda sealed: MARK])
def test_a_changed_value_is_broken(change: object) -> None:
    with pytest.raises(SealBroken):
        unseal(change(seal("thoughts", "reasoning")), "reasoning")  # type: ignore[operator]


def test_a_value_of_another_field_or_key_is_broken() -> None:
    sealed = seal("thoughts", "reasoning")
    with pytest.raises(SealBroken):
        unseal(sealed, "compaction")
    with override_settings(SECRET_KEY="another"), pytest.raises(SealBroken):
        unseal(sealed, "reasoning")

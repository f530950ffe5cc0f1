"""The caller of a request."""

from inference.core.principal import Principal


def test_a_user_and_a_key_of_one_name_own_different_prefixes() -> None:
    owners = {Principal(kind="user", name="a").owner, Principal(kind="key", name="a").owner}
    assert owners == {"user:a", "key:a"}

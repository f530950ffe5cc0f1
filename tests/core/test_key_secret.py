from hashlib import sha256

from inference.core import key_secret
from tests.each import each


def test_every_secret_is_another_of_256_bits() -> None:
    made = {key_secret.make() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one.split("-", 2)[2]) == 43 for one in made)  # 43 characters of 6 bits hold 256


def test_its_beginning_is_all_that_may_be_seen() -> None:
    made = key_secret.make()
    assert made.startswith(key_secret.prefix_of(made) + "-")
    assert len(key_secret.prefix_of(made)) == 16


@each("given", ["", "sesame", "mlx-", "mlx-0123456789ab-", "sk-0123456789ab-" + "x" * 43])
def test_what_is_none_of_ours_has_no_prefix(given: str) -> None:
    assert key_secret.prefix_of(given) == ""


def test_only_the_whole_secret_is_right() -> None:
    made = key_secret.make()
    assert key_secret.digest(made) == sha256(made.encode()).hexdigest()
    assert key_secret.is_right(made, key_secret.digest(made))
    assert not key_secret.is_right(made[:-1] + ("a" if made[-1] != "a" else "b"), key_secret.digest(made))

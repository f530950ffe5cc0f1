"""Names in reports where only a key's beginning is known."""

import pytest

from inference.serving.usage.names import NO_MODEL, names_of

pytestmark = pytest.mark.django_db


def test_a_key_of_which_nothing_but_its_beginning_is_known_is_called_a_key() -> None:
    group = ("key", "mlx-000000000000")
    assert names_of("key", [group]) == {group: "a key (mlx-000000000000…, deleted)"}


def test_models_that_do_not_exist_have_one_name() -> None:
    assert names_of("model", [("",), ("tiny",)]) == {("",): NO_MODEL, ("tiny",): "tiny"}

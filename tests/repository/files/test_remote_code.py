import pytest

from inference.repository.files.remote_code import required_key


@pytest.mark.parametrize("key", ["model_file", "auto_map"])
def test_it_names_the_key_that_asks(key: str) -> None:
    assert required_key({"model_type": "llama", key: "evil"}) == key


def test_an_ordinary_model_asks_for_nothing() -> None:
    assert required_key({"model_type": "llama"}) is None

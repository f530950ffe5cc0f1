import pytest

from inference.api.http.origin import is_own
from tests.each import each


@pytest.mark.parametrize("sent", ["http://localhost:8000", "HTTP://LocalHost:8000"])
def test_it_knows_its_own_pages(sent: str) -> None:
    assert is_own(sent, scheme="http", host="localhost:8000")


@each("sent", ["null", "", "http://localhost", "http://localhost:9", "https://localhost:8000"])
def test_everything_else_is_foreign(sent: str) -> None:
    assert not is_own(sent, scheme="http", host="localhost:8000")

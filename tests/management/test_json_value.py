import pytest

from inference.management import json_value
from tests.each import each


@each(
    ("text", "value"),
    [("5", 5), ("0.5", 0.5), ("true", True), ("null", None), ('"x"', "x"), ("[1]", [1]), (" 7 ", 7)],
)
def test_json_is_parsed(text: str, value: object) -> None:
    assert json_value.parsed(text) == value


@each(
    "text", ["", "x", "NaN", "1e999", "9" * 5000, "[" * 5000 + "]" * 5000, '1, "other": 2', '"\ud800"', "1}"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON|unpack"):
        json_value.parsed(text)

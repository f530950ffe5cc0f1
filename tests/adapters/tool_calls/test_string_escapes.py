"""Escapes in strings of JSON and Python."""

import json

import pytest

from inference.adapters.tool_calls.string_escapes import decoded_string, json_string


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (r"a\nb", "a\nb"),
        (r"\x41\u00e9\U0001F600", "Aé😀"),
        (r"\101", "A"),
        (r"\N{BULLET}", "•"),
        ("a\\\nb", "ab"),
        (r"\q", r"\q"),
        ("line\nbreak", "line\nbreak"),
    ],
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_escapes_of_python_are_decoded_in_either_quotes(inside: str, text: str, quote: str) -> None:
    assert json.loads(decoded_string(inside, quote)) == text


@pytest.mark.parametrize("inside", [r"\N{NO SUCH CHARACTER}", r"\U00110000"])
def test_a_character_that_does_not_exist_is_an_error(inside: str) -> None:
    with pytest.raises(ValueError, match="no character"):
        decoded_string(inside, "'")


def test_half_a_surrogate_pair_stays_escaped() -> None:
    assert json_string("\ud800") == '"\\ud800"'
    assert json_string("é") == '"é"'

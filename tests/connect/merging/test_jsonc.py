import json

import pytest

from inference.connect.merging import jsonc
from inference.connect.merging.jsonc import BrokenJson
from tests.each import each


def test_values_have_their_places() -> None:
    text = '// a\n{ "b": [1, {"c": null}], /* d */ "e": "f\\"//", }'
    node = jsonc.read(text)
    assert node.value == {"b": [1, {"c": None}], "e": 'f"//'}
    assert node.has_trailing_comma and text[node.start : node.end] == text[5:]
    assert text[node.members["b"].start : node.members["b"].end] == '[1, {"c": null}]'


@each("value", [{}, [], [[]], {"a": {"b": [1.5, -2e3, True, "\u00e9\\n"]}}, "x", 0])
def test_plain_json_is_read_as_it_is(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=2), json.dumps(value, ensure_ascii=False)):
        assert jsonc.read(text).value == value


@each(
    ("text", "line"),
    [
        ("{", 1),
        ('{"a": 1\n"b": 2}', 2),
        ('{"a": 1, "a": 2}', 1),
        ("{a: 1}", 1),
        ('{"a":\n\n}', 3),
        ("{} {}", 1),
        ("[1 2]", 1),
        ('{"a": -}', 1),
        ("", 1),
        ("[" * 200, 1),
        ("/* {}", 1),
        ("{,}", 1),
    ],
)
def test_broken_json_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(BrokenJson) as error:
        jsonc.read(text)
    assert error.value.line == line

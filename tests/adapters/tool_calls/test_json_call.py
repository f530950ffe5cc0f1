"""A complete call that is JSON is read whatever the order and the form of its members."""

from inference.adapters.tool_calls.json_call import parse_call, parse_object
from tests.each import each


@each(
    ("text", "call"),
    [
        ('{"arguments": {"a": 1}, "name": "add"}', ("add", '{"a": 1}')),
        ('{"name": "add", "parameters": {"a": 1}}', ("add", '{"a": 1}')),
        ('{"name": "add", "arguments": "{\\"a\\": 1}"}', ("add", '{"a": 1}')),
        ('{"name": "add", "arguments": ""}', ("add", "{}")),
        ('{"name": "add", "arguments": []}', ("add", "{}")),
        ('{"name": "add", "id": "c1"}', ("add", "{}")),
        ('{"name": "add", "a": 1}', None),
        ('{"name": "add", "arguments": [1]}', None),
        ('{"name": 1, "arguments": {}}', None),
        ('{"arguments": {}}', None),
        ("[]", None),
        ("", None),
    ],
)
def test_a_call_has_a_name_and_an_object_of_arguments(text: str, call: tuple[str, str] | None) -> None:
    assert parse_call(text, "name") == call


@each("text", ["NaN", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e400}', "[" * 100_000, "1"])
def test_only_an_object_of_json_is_one(text: str) -> None:
    assert parse_object(text) is None

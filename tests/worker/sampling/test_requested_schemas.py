"""The JSON schemas that a request wants enforced."""

import json
from typing import Any

from inference.adapters.tool_calls.grammar_rules import PLAIN
from inference.core.requests import ChatRequest, Tool
from inference.worker.sampling.requested_schemas import field_of, plain_schema, schemas_of
from tests.each import each

ADD, NOW = Tool(name="add", parameters='{"a":1}'), Tool(name="now", parameters="{}")
TEXT = "response_format.json_schema.schema"


def request(**fields: Any) -> ChatRequest:
    return ChatRequest(model="tiny", messages=(), **fields)


def test_the_schema_of_the_answer_comes_before_those_of_the_tools() -> None:
    found = schemas_of(request(schema="{}", tools=(ADD, NOW)))
    assert [field for field, _ in found] == [
        TEXT,
        "tools.0.function.parameters",
        "tools.1.function.parameters",
    ]


def test_a_forced_call_leaves_its_own_schema_only() -> None:
    found = schemas_of(request(schema="{}", tools=(ADD, NOW), must_call=("now",)))
    assert found == [("tools.1.function.parameters", "{}")]


@each(
    ("fields", "field"),
    [
        ({"schema": "{}"}, TEXT),
        ({"tools": (ADD,)}, "tools.0.function.parameters"),
        ({"tools": (ADD, NOW)}, "tools"),
        ({"schema": "{}", "tools": (ADD,)}, "tools"),
    ],
)
def test_the_field_is_the_only_one_or_the_one_for_all(fields: dict[str, Any], field: str) -> None:
    assert field_of(request(**fields)) == field


def test_a_request_cannot_change_how_strict_its_schema_is() -> None:
    made = json.loads(plain_schema('{"type":"object","x-guidance":{"lenient":true}}'))
    assert made == {"type": "object", "x-guidance": PLAIN}

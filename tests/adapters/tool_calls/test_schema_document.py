"""References and combinations in a whole JSON Schema."""

from typing import Any

from inference.adapters.tool_calls.schema_document import Document
from inference.adapters.tool_calls.schema_keywords import TYPES
from tests.each import each

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@each(
    ("reference", "found"),
    [
        ("#/$defs/name", STRING),
        ("#/$defs/a~1b", INTEGER),
        ("#/$defs/two%20words", STRING),
        ("#/allOf/1", INTEGER),
        ("#named", {"$anchor": "named", "type": "null"}),
        ("https://example.org/self#/$defs/name", STRING),
        ("#/$defs/none", True),
        ("#/allOf/9", True),
        ("https://example.org/other", True),
    ],
)
def test_a_reference_leads_to_its_node_or_allows_anything(reference: str, found: Any) -> None:
    anchored = {"$anchor": "named", "type": "null"}
    root = {
        "$id": "https://example.org/self",
        "$defs": {"name": STRING, "a/b": INTEGER, "two words": STRING, "anchored": anchored},
        "allOf": [STRING, INTEGER],
    }
    assert Document(root).resolved({"$ref": reference}) == found


def test_a_reference_to_itself_ends() -> None:
    root = {"$defs": {"loop": {"$ref": "#/$defs/loop"}}}
    document = Document(root)
    assert document.resolved({"$ref": "#/$defs/loop"}) == {"$ref": "#/$defs/loop"}
    assert document.types(root["$defs"]["loop"]) == TYPES


def test_combined_types_are_those_that_all_allow() -> None:
    document = Document({})
    assert document.types({"allOf": [{"type": ["string", "null"]}, {"type": ["null", "array"]}]}) == {"null"}
    assert document.types({"anyOf": [STRING, INTEGER]}) == {"string", "integer"}
    assert document.types(False) == frozenset()
    assert document.types(True) == TYPES


def test_values_are_those_that_each_list_has() -> None:
    document = Document({})
    node = {"enum": ["a", "b", 1], "allOf": [{"enum": [1, "b"]}]}
    assert document.values(node, TYPES, {}) == ["b", 1]
    assert document.values(node, frozenset({"string"}), {}) == ["b"]
    assert document.values({"anyOf": [{"const": "a"}, STRING]}, TYPES, {}) is None
    assert document.values({"type": "boolean"}, TYPES, {}) == [True, False]


def test_limits_are_collected_from_all_that_holds() -> None:
    root = {"$defs": {"some": {"minItems": 2}}}
    node = {"minItems": 1, "$ref": "#/$defs/some", "allOf": [{"minItems": 3}, {"minItems": "4"}]}
    assert sorted(Document(root).limits(node, "minItems", set())) == [1, 2, 3]


def test_a_node_with_references_takes_the_document_along() -> None:
    root = {"$defs": {"name": STRING}}
    document = Document(root)
    assert document.standalone(INTEGER) == INTEGER
    assert document.standalone(False) == {"enum": []}
    made = document.standalone({"properties": {"a": {"$ref": "#/$defs/name"}}})
    reference = made["properties"]["a"]["$ref"]
    assert Document(made).resolved({"$ref": reference}) == STRING

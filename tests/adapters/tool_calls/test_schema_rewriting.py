"""A rewritten schema says the same."""

from inference.adapters.tool_calls.schema_rewriting import nodes_below, relocated, with_null


def test_nullable_is_the_type_null() -> None:
    assert with_null({"type": "string", "nullable": True})["type"] == ["string", "null"]
    listed = with_null({"type": ["string"], "enum": ["a"], "nullable": True})
    assert (listed["type"], listed["enum"]) == (["string", "null"], ["a", None])
    assert with_null({"type": "string", "nullable": False})["type"] == "string"


def test_schemas_are_rewritten_wherever_they_are_and_data_is_not() -> None:
    nullable = {"type": "integer", "nullable": True}
    made = with_null({"properties": {"enum": nullable}, "anyOf": [nullable], "default": nullable})
    assert made["properties"]["enum"]["type"] == made["anyOf"][0]["type"] == ["integer", "null"]
    assert made["default"] == nullable


def test_references_lead_to_the_document_of_the_new_root() -> None:
    made = relocated({"$id": "me", "items": {"$ref": "me#/$defs/a"}, "const": {"$ref": "#/b"}})
    assert made == {"items": {"$ref": "#/$defs/document/$defs/a"}, "const": {"$ref": "#/b"}}


def test_every_object_below_is_a_node() -> None:
    assert list(nodes_below({"a": [{"b": 1}]})) == [{"a": [{"b": 1}]}, {"b": 1}]

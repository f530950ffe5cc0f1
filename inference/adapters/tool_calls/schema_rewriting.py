"""Rewrites JSON Schemas: OpenAPI's `nullable` as a type, references for a new root."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

DEFINITIONS = {"$defs", "definitions"}
_DATA = {"enum", "const", "default", "examples"}  # their values are not schemas
_NAMED = {"properties", "patternProperties", "dependentSchemas", *DEFINITIONS}  # names, each with a schema
_DOCUMENT = "#/$defs/document"


def with_null(node: Any) -> Any:
    """A schema in which OpenAPI 3.0's `nullable`, which JSON Schema does not have, is the type null."""
    if isinstance(node, list):
        return [with_null(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    made = changed_below(node, with_null)
    if made.get("nullable") is True and "type" in made:
        kind = made.pop("type")
        made["type"] = [*(kind if isinstance(kind, list) else [kind]), "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def relocated(node: Any) -> Any:
    """A schema, once its document is below `$defs` of another: new references, and no `$id`."""
    if isinstance(node, list):
        return [relocated(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    kept = {keyword: value for keyword, value in node.items() if keyword != "$id"}
    made = changed_below(kept, relocated)
    reference = made.get("$ref")
    if isinstance(reference, str) and "#" in reference:
        made["$ref"] = _DOCUMENT + reference.partition("#")[2]
    return made


def nodes_below(node: Any) -> Iterator[Mapping[str, Any]]:
    """A node and every object below it."""
    if isinstance(node, Mapping):
        yield node
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for child in children:
        yield from nodes_below(child)


def changed_below(node: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of a node with the schemas in its keywords changed."""
    return {keyword: _changed_keyword(keyword, value, change) for keyword, value in node.items()}


def _changed_keyword(keyword: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """The value of a keyword, with the schemas in it changed."""
    if keyword in _NAMED and isinstance(value, Mapping):
        return {name: change(one) for name, one in value.items()}
    return value if keyword in _DATA else change(value)

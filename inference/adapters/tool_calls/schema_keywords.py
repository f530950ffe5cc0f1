"""The keywords of JSON Schema in one node: which types, values and members it allows, references aside.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

from collections.abc import Iterator, Mapping
from typing import Any

TYPES = frozenset({"string", "boolean", "integer", "number", "array", "object", "null"})
_TYPE_NAMES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_TYPE_NAMES |= {list: "array", dict: "object", type(None): "null"}


def required_of(node: Mapping[str, Any]) -> list[str]:
    """The names of the members that an object must have."""
    listed = node.get("required")
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def value_types(value: Any) -> set[str]:
    """The JSON types that a value has: 2.0 is an integer, too."""
    is_whole = isinstance(value, float) and value.is_integer()
    return {_TYPE_NAMES[type(value)], *(["integer"] if is_whole else [])}


def own_types(node: Mapping[str, Any]) -> frozenset[str]:
    """The types that `type`, `enum` and `const` of this node leave; all of them if it has none of these."""
    kind = node.get("type")
    listed = [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else TYPES
    named = {one for one in listed if isinstance(one, str)} & TYPES or set(TYPES)  # "any" is not a type
    named |= {"integer"} if "number" in named else set()
    values = own_values(node)
    return frozenset(named if values is None else named & set().union(*map(value_types, values)))


def own_values(node: Mapping[str, Any]) -> list[Any] | None:
    """The values that `enum` or `const` lists; None if this node has neither."""
    if "const" in node:
        return [node["const"]]
    listed = node.get("enum")
    return list(listed) if isinstance(listed, list) else None


def all_values(types: frozenset[str]) -> list[Any] | None:
    """Every value of these types; None unless they are null and boolean only."""
    if not types <= {"null", "boolean"}:
        return None
    return [*([None] if "null" in types else []), *([True, False] if "boolean" in types else [])]


def any_of(node: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Lists of schemas, one of which has to hold in each list: anyOf, oneOf, then and else."""
    for keyword in ("anyOf", "oneOf"):
        if isinstance(choices := node.get(keyword), list) and choices:
            yield choices
    if "if" in node and ("then" in node or "else" in node):
        yield [node.get("then", True), node.get("else", True)]


def member_of(node: Mapping[str, Any], name: str) -> Any:
    """The schema of the member of this name; None if the node does not say."""
    properties, patterns = node.get("properties"), node.get("patternProperties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name]
    # Patterns are not matched: they come from the client, and Python's may take exponential time.
    several = list(patterns.values()) if isinstance(patterns, Mapping) else []
    others = node.get("additionalProperties")
    several += [others] if isinstance(others, Mapping) else []
    return {"anyOf": several} if len(several) > 1 else several[0] if several else None


def item_of(node: Mapping[str, Any], place: int) -> Any:
    """The schema of the list item with this index; None if the node does not say."""
    first, others = node.get("prefixItems"), node.get("items")
    listed = first if isinstance(first, list) else others if isinstance(others, list) else []
    if place < len(listed):
        return listed[place]
    return others if isinstance(others, Mapping) or others is False else None

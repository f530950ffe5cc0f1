"""A JSON Schema as llguidance can enforce it: the same in other words, or without what it cannot.

https://github.com/guidance-ai/llguidance/blob/main/docs/json_schema.md lists what it can.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from llguidance import LLMatcher

from inference.adapters.tool_calls.grammar_rules import PLAIN
from inference.adapters.tool_calls.schema_document import Document
from inference.adapters.tool_calls.schema_keywords import own_values, required_of
from inference.adapters.tool_calls.schema_rewriting import changed_below
from inference.worker.sampling.grammar_dead_ends import is_deep

MOST_BYTES = 120_000  # of one schema, as OpenAI has it
MOST_KEYS = 64  # listed by `propertyNames`: each becomes a member with a copy of the values' schema
_ANNOTATIONS = {"title", "description", "$comment", "default", "examples", "type"}
_VALUES = {"const", "default"}
_COMBINATIONS = {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"}
_UNKNOWN = {
    "$dynamicRef",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
}
# Patterns with look-around that two libraries write for every field of a kind, and the same without it.
PUBLISHED = {
    # Zod 4, z.email(): no dot at the beginning and nowhere two of them.
    r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$": (
        r"^([A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+\-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
    ),
    # Pydantic, Decimal: at least one digit.
    r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$": r"^[+-]?(\d+\.?\d*|\.\d+)$",
}


class EnforceableSchema(NamedTuple):
    """The JSON text of a schema, and whether it leaves out anything that the given one asks for."""

    text: str
    is_partial: bool


@lru_cache(maxsize=256)
def enforceable_schema(text: str, *, is_strict: bool) -> EnforceableSchema:
    """The schema as it can be enforced; a strict one keeps what cannot be, and is refused later.

    The steps, each only if the schema does not compile after those before it:

    1. Write what llguidance does not know in other words that mean the same. A `format` that it does not
       know is left out, because JSON Schema has it describe a value and not restrict it.
    2. Of a schema that is not strict, leave out the keywords and patterns that it cannot enforce.
    3. Allow the value of a `oneOf` to follow several of its schemas.
    """
    given = json.loads(text)
    document = Document(given)
    # What is too large or too deep is refused later, before llguidance recurses into it.
    if len(text) > MOST_BYTES or is_deep(document, given) or _compiles(given):
        return EnforceableSchema(text, is_partial=False)
    formats: set[str] = set()
    schema = _changed(given, lambda node: _reworded(node, document, formats))
    if not isinstance(schema, Mapping):
        return EnforceableSchema(text, is_partial=False)  # no value follows it
    is_partial = bool(formats)
    for relax in () if is_strict else (_relaxed, _with_any_of):
        if _compiles(schema):
            break
        schema, is_partial = _changed(schema, relax), True
    return EnforceableSchema(json.dumps(schema), is_partial)


def _compiles(schema: Mapping[str, Any]) -> bool:
    grammar = f"start: %json {json.dumps({**schema, 'x-guidance': PLAIN})}\n"
    return not LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(grammar))


def _changed(node: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    """The schema with each of its nodes changed, the inner ones first."""
    if isinstance(node, list):
        return [_changed(one, change) for one in node]
    if not isinstance(node, Mapping):
        return node
    return change(changed_below(node, lambda one: _changed(one, change)))


def _reworded(node: dict[str, Any], document: Document, formats: set[str]) -> Any:
    """The same schema in llguidance's keywords, as far as they can express it; null is not given."""
    node = {keyword: value for keyword, value in node.items() if value is not None or keyword in _VALUES}
    if "not" in node and node["not"] in ({}, True):
        return False
    form = node.get("format")
    if isinstance(form, str) and not _knows("format", form):
        formats.add(node.pop("format"))
    pattern = node.get("pattern")
    if isinstance(pattern, str):
        node["pattern"] = PUBLISHED.get(pattern, pattern)
    for keyword, harmless in (("not", False), ("uniqueItems", False), ("minProperties", 0)):
        if keyword in node and node[keyword] == harmless:
            del node[keyword]
    if "if" not in node or not {"then", "else"} & node.keys():
        node = _without(node, "if", "then", "else")
    if "unevaluatedProperties" in node and not _COMBINATIONS & node.keys():
        others = node.pop("unevaluatedProperties")
        node.setdefault("additionalProperties", others)
    return _with_named_members(node, document)


def _with_named_members(node: dict[str, Any], document: Document) -> dict[str, Any]:
    """The node without a `propertyNames` that allows any name, lists the names, or has a pattern for them."""
    names = document.resolved(node.get("propertyNames"))
    if names is True or (isinstance(names, Mapping) and names.keys() <= _ANNOTATIONS):
        return _without(node, "propertyNames")
    is_alone = not {"properties", "patternProperties"} & node.keys()
    if not isinstance(names, Mapping) or not is_alone:
        return node
    rest = _without(node, "propertyNames")
    values = node.get("additionalProperties", {})
    listed = own_values(names) or []
    if 0 < len(listed) <= MOST_KEYS and names.keys() <= {"enum", "const", *_ANNOTATIONS}:
        members = {name: values for name in listed if isinstance(name, str)}
        return {**rest, "properties": members, "additionalProperties": False}
    if "pattern" in names and names.keys() <= {"pattern", *_ANNOTATIONS}:
        return {**rest, "patternProperties": {names["pattern"]: values}, "additionalProperties": False}
    return node


def _relaxed(node: dict[str, Any]) -> dict[str, Any]:
    """The node without the keywords that llguidance does not know or cannot enforce."""
    made = _without(node, *_UNKNOWN)
    pattern = made.get("pattern")
    if isinstance(pattern, str) and not _knows("pattern", pattern) and _is_regex(pattern):
        del made["pattern"]
    if isinstance(made.get("patternProperties"), Mapping):
        made["patternProperties"] = {
            name: one
            for name, one in made["patternProperties"].items()
            if _knows("pattern", name) or not _is_regex(name)
        }
    members = made.get("properties")
    if isinstance(members, Mapping) and not members.keys() <= set(required_of(made)):
        made = _without(made, "minProperties", "maxProperties")
    if made.get("type") == "any":
        del made["type"]
    return made


def _with_any_of(node: dict[str, Any]) -> dict[str, Any]:
    """The node with `anyOf` in the place of `oneOf`."""
    if "oneOf" not in node:
        return node
    made = _without(node, "oneOf")
    if "anyOf" not in made:
        return {**made, "anyOf": node["oneOf"]}
    return {**made, "allOf": [*made.get("allOf", []), {"anyOf": node["oneOf"]}]}


def _without(node: Mapping[str, Any], *keywords: str) -> dict[str, Any]:
    return {keyword: value for keyword, value in node.items() if keyword not in keywords}


def _is_regex(pattern: str) -> bool:
    """Whether it is a regular expression of any kind: one that is none is a mistake of its author."""
    try:
        re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern))
    except (re.error, RecursionError, OverflowError):
        return False
    return True


@lru_cache(maxsize=1024)
def _knows(keyword: str, value: str) -> bool:
    """Whether llguidance can enforce a `format` or a `pattern`."""
    return _compiles({"type": "string", keyword: value})

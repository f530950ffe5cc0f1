"""Finds JSON schemas that compile but lead an answer into a dead end, where no token is allowed.

A schema is refused before an answer begins, for one of these reasons, checked in this order:

1. Its references nest too deeply to be compiled.
2. It contains itself without an end: no finite value follows it.
3. An object or a choice in it has so many members that llguidance gives up.
4. A pattern of `patternProperties` matches no name besides those of the properties
   (https://github.com/guidance-ai/llguidance/issues/265).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from inference.adapters.tool_calls.grammar_rules import PLAIN
from inference.adapters.tool_calls.schema_document import Document
from inference.adapters.tool_calls.schema_keywords import any_of, required_of

_CROWDED = 100  # members and choices; llguidance gives up at about 2,000 alternatives
MOST_DEPTH = 256  # nested schemas; about 2,000 would overflow the stack of the process
MOST_NAMES = 200  # besides a pattern; all of them are part of the trial
_ENDLESS = "The schema's '$ref' refers to itself without end, so no answer can satisfy it."
COMPLEX = "The schema is too complex to be enforced; make it smaller."
_USELESS = (
    "The schema's 'patternProperties' {!r} matches no name besides those of its properties; leave it out."
)
# Whether an answer that begins with this text can go on to follow the schema.
CanContinue = Callable[[Mapping[str, Any], str], bool]


def dead_end(schema: Mapping[str, Any], can_continue: CanContinue) -> str:
    """Why the schema leads to a dead end, for its author; empty if it does not."""
    document = Document(schema)
    if is_deep(document, schema):
        return COMPLEX
    nodes = list(_reachable(document, schema))
    if len(_finite(document, nodes)) < len(nodes):
        return _ENDLESS
    for node in nodes:
        if _is_crowded(document, node) and not all(
            can_continue(document.standalone(node), begun) for begun in ("", "{", "[")
        ):
            return COMPLEX
        for names, patterns in _named(document, node):
            if found := next((one for one in patterns if not _leaves_names(one, names, can_continue)), None):
                return _USELESS.format(found[:64])
    return ""


def _reachable(document: Document, root: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema that applies to a part of a value, each once, parents before their children."""
    seen: set[int] = set()
    left = [root]
    while left:
        node = left.pop()
        if isinstance(node, Mapping) and id(node) not in seen:
            seen.add(id(node))
            yield node
            left += _children(document, node)


def is_deep(document: Document, root: Mapping[str, Any]) -> bool:
    """Whether schemas nest too deeply: llguidance recurses into each."""
    depths: dict[int, int] = {}
    path = [(root, iter(_children(document, root)))]
    begun = {id(root)}
    while path:
        node, children = path[-1]
        child = next(children, None)
        if child is None:
            path.pop()
            below = (depths.get(id(one), 0) for one in _children(document, node))
            depths[id(node)] = 1 + max(below, default=0)
        elif id(child) not in begun:
            begun.add(id(child))
            path.append((child, iter(_children(document, child))))
        if len(path) > MOST_DEPTH or depths.get(id(node), 0) > MOST_DEPTH:
            return True
    return False


def _children(document: Document, node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [*_below(node), *document.all_of(node), *(one for some in any_of(node) for one in some)]
    return [one for one in found if isinstance(one, Mapping)]


def _is_crowded(document: Document, node: Mapping[str, Any]) -> bool:
    choices = [document.resolved(one) for some in any_of(node) for one in some]
    return sum(1 + _members(one) for one in (node, *choices)) > _CROWDED


def _members(node: Any) -> int:
    members = node.get("properties") if isinstance(node, Mapping) else None
    return len(members) if isinstance(members, Mapping) else 0


def _below(node: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("properties", "patternProperties"):
        if isinstance(members := node.get(key), Mapping):
            yield from members.values()
    yield node.get("additionalProperties")
    for key in ("items", "prefixItems"):
        found = node.get(key)
        yield from found if isinstance(found, list) else [found]


def _finite(document: Document, nodes: list[Mapping[str, Any]]) -> set[int]:
    """The ids of the schemas that a finite value can follow, found as a fixed point."""
    known: set[int] = set()
    left = nodes[::-1]  # children first, as far as possible
    while True:
        before = len(known)
        for node in left:
            if _ends(document, node, known):
                known.add(id(node))
        left = [node for node in left if id(node) not in known]
        if len(known) == before:
            return known


def _ends(document: Document, node: Mapping[str, Any], known: set[int]) -> bool:
    def ends(other: Any) -> bool:
        return other is not False if not isinstance(other, Mapping) else id(other) in known

    if not all(map(ends, document.all_of(node))):
        return False
    if not all(any(map(ends, choices)) for choices in any_of(node)):
        return False
    types = document.types(node)
    if "const" in node or "enum" in node or not types <= {"object", "array"} or not types:
        return True
    return ("object" in types and all(map(ends, _required(node)))) or (
        "array" in types and all(map(ends, _items(node)))
    )


def _required(node: Mapping[str, Any]) -> Iterator[Any]:
    members = node.get("properties")
    for name in required_of(node):
        yield members.get(name) if isinstance(members, Mapping) else None


def _items(node: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas of the items that a list must have."""
    first, others, least = node.get("prefixItems"), node.get("items"), node.get("minItems")
    first, least = first if isinstance(first, list) else [], least if isinstance(least, int) else 0
    yield from first[:least]
    if least > len(first):
        yield others


def _named(document: Document, node: Mapping[str, Any]) -> Iterator[tuple[list[str], list[str]]]:
    """The property names and the patterns of an object, for each of its choices."""
    names, patterns = _own(node)
    for part in document.all_of(node):
        others = _own(part) if isinstance(part, Mapping) else ([], [])
        names, patterns = names + others[0], patterns + others[1]
    yield names, patterns
    for choice in (one for choices in any_of(node) for one in choices if isinstance(one, Mapping)):
        others = _own(choice)
        yield names + others[0], patterns + others[1]


def _own(node: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    members, patterns = node.get("properties"), node.get("patternProperties")
    names = [*(members if isinstance(members, Mapping) else ()), *required_of(node)]
    return names, list(patterns) if isinstance(patterns, Mapping) else []


def _leaves_names(pattern: str, names: list[str], can_continue: CanContinue) -> bool:
    """Whether the pattern matches a name besides these."""
    names = list(dict.fromkeys(names))
    if len(names) > MOST_NAMES:
        return True
    trial = {
        "type": "object",
        "properties": {name: {"type": "null"} for name in names},
        "required": names,
        "patternProperties": {pattern: {"type": "null"}},
        "additionalProperties": False,
        "minProperties": len(names) + 1,
    }
    members = "".join(f"{json.dumps(name, ensure_ascii=False)}: null, " for name in names)
    return can_continue({**trial, "x-guidance": PLAIN}, "{" + members)

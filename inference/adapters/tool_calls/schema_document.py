"""A whole JSON Schema: follows references and combinations, and what they lead to.

https://json-schema.org/draft/2020-12/json-schema-core
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from inference.adapters.tool_calls.schema_keywords import (
    TYPES,
    all_values,
    any_of,
    own_types,
    own_values,
    value_types,
)
from inference.adapters.tool_calls.schema_rewriting import DEFINITIONS, nodes_below, relocated

Pick = Callable[[Mapping[str, Any]], Any]
KnownValues = dict[int, list[Any] | None]


class Document:
    """A whole schema; its methods answer for one of its nodes.

    References may be recursive. While a node is being evaluated, a reference back to it counts as
    unrestricted. Caches are keyed by the id of a node; nodes that are made here are kept alive with them.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._types: dict[int, tuple[Any, frozenset[str]]] = {}  # with the node, so that its id stays its own
        self._relocated_root: Any = None

    def resolved(self, node: Any) -> Any:
        """What a node that is nothing but a reference refers to; any other node itself."""
        seen: set[int] = set()
        while isinstance(node, Mapping) and set(node) == {"$ref"} and id(node) not in seen:
            seen.add(id(node))
            node = self._resolve(node["$ref"])
        return node

    def key(self, node: Any, above: frozenset[int] = frozenset()) -> object:
        """See Schema.key; `above` are the ids of the nodes around this one."""
        node = self.resolved(node)
        for keyword in ("allOf", "anyOf"):  # such nodes are created again each time
            made = isinstance(node, Mapping) and set(node) == {keyword} and isinstance(node[keyword], list)
            if made and id(node) not in above:
                return keyword, *(self.key(part, above | {id(node)}) for part in node[keyword])
        return id(node)

    def types(self, node: Any) -> frozenset[str]:
        """The types that a value may have."""
        if node is False:
            return frozenset()
        if not isinstance(node, Mapping):
            return TYPES
        if id(node) not in self._types:
            self._types[id(node)] = (node, TYPES)  # for a reference back to this node
            self._types[id(node)] = (node, self._types_of(node))
        return self._types[id(node)][1]

    def _types_of(self, node: Mapping[str, Any]) -> frozenset[str]:
        found = own_types(node)
        for part in self.all_of(node):
            found &= self.types(part)
        for choices in any_of(node):
            found &= frozenset().union(*map(self.types, choices))
        return found

    def values(self, node: Any, types: frozenset[str], known: KnownValues) -> list[Any] | None:
        """The only values of these types that are allowed; None if not listed. `known` is a cache."""
        if not isinstance(node, Mapping):
            return [] if node is False else None
        if id(node) not in known:
            known[id(node)] = None  # for a reference back to this node
            known[id(node)] = self._values_of(node, types, known)
        return known[id(node)]

    def _values_of(
        self, node: Mapping[str, Any], types: frozenset[str], known: KnownValues
    ) -> list[Any] | None:
        own = own_values(node)
        lists = [own and [value for value in own if value_types(value) & types]]
        lists += [self.values(part, types, known) for part in self.all_of(node)]
        for choices in any_of(node):
            each = [self.values(choice, types, known) for choice in choices]
            lists.append(None if None in each else [value for one in each for value in one or ()])
        known_lists = [one for one in lists if one is not None]
        if not known_lists:
            return all_values(self.types(node) & types)
        canonical = [{_canonical(value) for value in one} for one in known_lists]
        return [value for value in known_lists[0] if all(_canonical(value) in one for one in canonical)]

    def collected(self, node: Any, pick: Pick, known: dict[int, Any]) -> Any:
        """What `pick` finds in a node and in all that it combines, as one node; None if it finds nothing."""
        if not isinstance(node, Mapping):
            return None
        if id(node) not in known:
            known[id(node)] = None
            known[id(node)] = self._collected_of(node, pick, known)
        return known[id(node)]

    def _collected_of(self, node: Mapping[str, Any], pick: Pick, known: dict[int, Any]) -> Any:
        parts = [pick(node), *(self.collected(part, pick, known) for part in self.all_of(node))]
        for choices in any_of(node):
            some = _distinct(self.collected(choice, pick, known) for choice in choices)
            parts.append({"anyOf": some} if some else None)
        found = _distinct(parts)
        return ({"allOf": found} if len(found) > 1 else found[0]) if found else None

    def limits(self, node: Any, keyword: str, seen: set[int]) -> Iterator[int]:
        """Each number that this keyword has in a node and in all that has to hold as well."""
        if not isinstance(node, Mapping) or id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(limit := node.get(keyword), int):
            yield limit
        for part in self.all_of(node):
            yield from self.limits(part, keyword, seen)

    def standalone(self, node: Any) -> dict[str, Any]:
        """A node as a schema of its own; the whole document is below its `$defs` if it has references."""
        if not isinstance(node, Mapping):
            return {"enum": []} if node is False else {}
        made = {key: one for key, one in relocated(node).items() if key not in DEFINITIONS}
        if '"$ref"' not in json.dumps(made):
            return made
        if self._relocated_root is None:
            self._relocated_root = relocated(self._root)
        return {**made, "$defs": {"document": self._relocated_root}}

    def all_of(self, node: Mapping[str, Any]) -> Iterator[Any]:
        """The schemas that have to hold together with this node: its reference and its allOf."""
        if isinstance(reference := node.get("$ref"), str):
            yield self._resolve(reference)
        if isinstance(parts := node.get("allOf"), list):
            yield from parts

    def _resolve(self, reference: object) -> Any:
        """The node that a reference leads to; True, which allows anything, if it is not in the document."""
        base, _, pointer = str(reference).partition("#")
        is_mapping = isinstance(self._root, Mapping)
        if base and not (is_mapping and base == str(self._root.get("$id", "")).rstrip("#")):
            return True
        if pointer and not pointer.startswith("/"):
            return next((one for one in nodes_below(self._root) if one.get("$anchor") == pointer), True)
        node = self._root
        for step in unquote(pointer).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return True
        return node


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _distinct(nodes: Iterable[Any]) -> list[Any]:
    """Each node once, without None."""
    return list({id(node): node for node in nodes if node is not None}.values())

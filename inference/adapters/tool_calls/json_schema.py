"""What a JSON Schema allows in a place: its types, values and members, through references and combinations.

https://json-schema.org/draft/2020-12/json-schema-core - the reader of calls types their values by it, and the
grammars of notations that are not JSON are written from it, so that both follow the same rules.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

TYPES = frozenset({"string", "boolean", "integer", "number", "array", "object", "null"})
_KINDS: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_KINDS |= {list: "array", dict: "object", type(None): "null"}
_DEFINITIONS = {"$defs", "definitions"}
_DATA = {"enum", "const", "default", "examples"}  # what stands below them is no schema
_NAMED = {"properties", "patternProperties", "dependentSchemas", *_DEFINITIONS}  # names, each with a schema
_ROOT = "#/$defs/document"
Pick = Callable[[Mapping[str, Any]], Any]
Lists = dict[int, list[Any] | None]


class Schema:
    """One place of a schema; its references are looked up in `document`, which is the whole of it."""

    def __init__(self, node: Any, document: "Document | None" = None) -> None:
        self.node = node if document else with_null(node)
        self.document = document or Document(self.node)

    @classmethod
    def of(cls, text: str) -> "Schema":
        """The schema that this JSON text holds."""
        return cls(json.loads(text))

    @property
    def key(self) -> object:
        """The same for the same place of one document, however it was reached."""
        return self.document.key(self.node)

    @property
    def types(self) -> frozenset[str]:
        """The types a value may have: all of them where nothing limits them."""
        return self.document.types(self.node)

    @property
    def is_text(self) -> bool:
        """Whether a value can only be a string."""
        return self.types == {"string"}

    @property
    def takes_text(self) -> bool:
        return "string" in self.types

    @property
    def is_open(self) -> bool:
        """Whether a value may be anything, as far as types go."""
        return self.types == TYPES

    @property
    def values(self) -> list[Any] | None:
        """The only values there are; None where they are not listed."""
        listed = self.document.values(self.node, TYPES, {})
        return listed and [value for value in listed if kinds_of(value) & self.types]

    @property
    def texts(self) -> list[Any] | None:
        """The only strings there are; None where they are not listed."""
        return self.document.values(self.node, frozenset({"string"}), {})

    def member(self, name: str) -> "Schema":
        """What the member of this name holds."""
        return self._part(lambda node: _member_of(node, name))

    def item(self, place: int) -> "Schema":
        """What stands at this place of a list."""
        return self._part(lambda node: _item_of(node, place))

    def only(self, *kinds: str) -> "Schema":
        """The same for values of these types."""
        return Schema({"allOf": [self.node, {"type": list(kinds)}]}, self.document)

    @property
    def other(self) -> "Schema":
        """The same for all but strings."""
        return self.only(*sorted(TYPES - {"string"}))

    def least(self, word: str) -> int:
        """The largest number that this keyword has here, and in all that has to hold as well."""
        return max(self.document.limits(self.node, word, set()), default=0)

    def alone(self) -> dict[str, Any]:
        """This place as a schema of its own, with what its references need."""
        return self.document.alone(self.node)

    def _part(self, pick: Pick) -> "Schema":
        found = self.document.gathered(self.node, pick, {})
        return Schema(True if found is None else found, self.document)


class Document:
    """The whole of a schema: follows references, and what they lead to."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._types: dict[int, tuple[Any, frozenset[str]]] = {}  # with the node, so that its id stays its own
        self._moved: Any = None

    def target(self, node: Any) -> Any:
        """What a node stands for that is nothing but a reference."""
        seen: set[int] = set()
        while isinstance(node, Mapping) and set(node) == {"$ref"} and id(node) not in seen:
            seen.add(id(node))
            node = self._found(node["$ref"])
        return node

    def key(self, node: Any, above: frozenset[int] = frozenset()) -> object:
        node = self.target(node)
        for word in ("allOf", "anyOf"):  # as they are made here, anew each time
            made = isinstance(node, Mapping) and set(node) == {word} and isinstance(node[word], list)
            if made and id(node) not in above:
                return word, *(self.key(part, above | {id(node)}) for part in node[word])
        return id(node)

    def types(self, node: Any) -> frozenset[str]:
        if node is False:
            return frozenset()
        if not isinstance(node, Mapping):
            return TYPES
        if id(node) not in self._types:
            self._types[id(node)] = (node, TYPES)  # what a reference finds that leads back here
            self._types[id(node)] = (node, self._types_of(node))
        return self._types[id(node)][1]

    def _types_of(self, node: Mapping[str, Any]) -> frozenset[str]:
        found = _own_types(node)
        for part in self.all_of(node):
            found &= self.types(part)
        for choices in any_of(node):
            found &= frozenset().union(*map(self.types, choices))
        return found

    def values(self, node: Any, kinds: frozenset[str], known: Lists) -> list[Any] | None:
        """The only values of these types."""
        if not isinstance(node, Mapping):
            return [] if node is False else None
        if id(node) not in known:
            known[id(node)] = None  # what a reference finds that leads back here
            known[id(node)] = self._values_of(node, kinds, known)
        return known[id(node)]

    def _values_of(self, node: Mapping[str, Any], kinds: frozenset[str], known: Lists) -> list[Any] | None:
        own = _own_values(node)
        lists = [own and [value for value in own if kinds_of(value) & kinds]]
        lists += [self.values(part, kinds, known) for part in self.all_of(node)]
        for choices in any_of(node):
            each = [self.values(choice, kinds, known) for choice in choices]
            lists.append(None if None in each else [value for one in each for value in one or ()])
        known_lists = [one for one in lists if one is not None]
        if not known_lists:
            return _few(self.types(node) & kinds)
        texts = [{_canonical(value) for value in one} for one in known_lists]
        return [value for value in known_lists[0] if all(_canonical(value) in one for one in texts)]

    def gathered(self, node: Any, pick: Pick, known: dict[int, Any]) -> Any:
        """What `pick` finds in a node and all that it combines, as one node; None where it finds nothing."""
        if not isinstance(node, Mapping):
            return None
        if id(node) not in known:
            known[id(node)] = None
            known[id(node)] = self._gathered_of(node, pick, known)
        return known[id(node)]

    def _gathered_of(self, node: Mapping[str, Any], pick: Pick, known: dict[int, Any]) -> Any:
        parts = [pick(node), *(self.gathered(part, pick, known) for part in self.all_of(node))]
        for choices in any_of(node):
            some = _distinct(self.gathered(choice, pick, known) for choice in choices)
            parts.append({"anyOf": some} if some else None)
        found = _distinct(parts)
        return ({"allOf": found} if len(found) > 1 else found[0]) if found else None

    def limits(self, node: Any, word: str, seen: set[int]) -> Iterator[int]:
        if not isinstance(node, Mapping) or id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(limit := node.get(word), int):
            yield limit
        for part in self.all_of(node):
            yield from self.limits(part, word, seen)

    def alone(self, node: Any) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            return {"enum": []} if node is False else {}
        made = {key: one for key, one in _moved(node).items() if key not in _DEFINITIONS}
        if '"$ref"' not in json.dumps(made):
            return made
        if self._moved is None:
            self._moved = _moved(self._root)
        return {**made, "$defs": {"document": self._moved}}

    def all_of(self, node: Mapping[str, Any]) -> Iterator[Any]:
        """What has to hold as well."""
        if isinstance(reference := node.get("$ref"), str):
            yield self._found(reference)
        if isinstance(parts := node.get("allOf"), list):
            yield from parts

    def _found(self, reference: object) -> Any:
        """What a reference leads to; True, which allows anything, where that is outside of the document."""
        base, _, pointer = str(reference).partition("#")
        is_mapping = isinstance(self._root, Mapping)
        if base and not (is_mapping and base == str(self._root.get("$id", "")).rstrip("#")):
            return True
        if pointer and not pointer.startswith("/"):
            return next((one for one in _below(self._root) if one.get("$anchor") == pointer), True)
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


def with_null(node: Any) -> Any:
    """A schema in which OpenAPI 3.0's `nullable`, which JSON Schema has not, is a type."""
    if isinstance(node, list):
        return [with_null(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    made = {word: _below_word(word, value, with_null) for word, value in node.items()}
    if made.get("nullable") is True and "type" in made:
        kind = made.pop("type")
        made["type"] = [*(kind if isinstance(kind, list) else [kind]), "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made


def required_of(node: Mapping[str, Any]) -> list[str]:
    """The names that an object must have."""
    listed = node.get("required")
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def kinds_of(value: Any) -> set[str]:
    """The JSON types that a value has: 2.0 is an integer, too."""
    is_whole = isinstance(value, float) and value.is_integer()
    return {_KINDS[type(value)], *(["integer"] if is_whole else [])}


def _own_types(node: Mapping[str, Any]) -> frozenset[str]:
    kind = node.get("type")
    listed = [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else TYPES
    named = {one for one in listed if isinstance(one, str)} & TYPES or set(TYPES)  # "any" is no type
    named |= {"integer"} if "number" in named else set()
    values = _own_values(node)
    return frozenset(named if values is None else named & set().union(*map(kinds_of, values)))


def _own_values(node: Mapping[str, Any]) -> list[Any] | None:
    if "const" in node:
        return [node["const"]]
    listed = node.get("enum")
    return list(listed) if isinstance(listed, list) else None


def _few(kinds: frozenset[str]) -> list[Any] | None:
    """The values of types that have only a few."""
    if not kinds <= {"null", "boolean"}:
        return None
    return [*([None] if "null" in kinds else []), *([True, False] if "boolean" in kinds else [])]


def any_of(node: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Lists of schemas, of each of which one has to hold."""
    for word in ("anyOf", "oneOf"):
        if isinstance(choices := node.get(word), list) and choices:
            yield choices
    if "if" in node and ("then" in node or "else" in node):
        yield [node.get("then", True), node.get("else", True)]


def _member_of(node: Mapping[str, Any], name: str) -> Any:
    properties, patterns = node.get("properties"), node.get("patternProperties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name]
    # Patterns are not tried: they are the client's, and Python's may take for ever.
    several = list(patterns.values()) if isinstance(patterns, Mapping) else []
    others = node.get("additionalProperties")
    several += [others] if isinstance(others, Mapping) else []
    return {"anyOf": several} if len(several) > 1 else several[0] if several else None


def _item_of(node: Mapping[str, Any], place: int) -> Any:
    first, others = node.get("prefixItems"), node.get("items")
    listed = first if isinstance(first, list) else others if isinstance(others, list) else []
    if place < len(listed):
        return listed[place]
    return others if isinstance(others, Mapping) or others is False else None


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _below(node: Any) -> Iterator[Mapping[str, Any]]:
    """A node and every object below it."""
    if isinstance(node, Mapping):
        yield node
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for child in children:
        yield from _below(child)


def _distinct(nodes: Iterable[Any]) -> list[Any]:
    """Each node once; None is none."""
    return list({id(node): node for node in nodes if node is not None}.values())


def _moved(node: Any) -> Any:
    """A schema with references into its document, once that stands below $defs of another."""
    if isinstance(node, list):
        return [_moved(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    made = {word: _below_word(word, value, _moved) for word, value in node.items() if word != "$id"}
    reference = made.get("$ref")
    if isinstance(reference, str) and "#" in reference:
        made["$ref"] = _ROOT + reference.partition("#")[2]
    return made


def _below_word(word: str, value: Any, change: Callable[[Any], Any]) -> Any:
    """What a keyword holds, with the schemas in it changed."""
    if word in _NAMED and isinstance(value, Mapping):
        return {name: change(one) for name, one in value.items()}
    return value if word in _DATA else change(value)

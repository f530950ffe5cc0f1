"""The alternatives that a JSON Schema allows for an object, for grammars with a rule for each member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.schema_document import Document
from inference.adapters.tool_calls.schema_keywords import any_of, required_of

MOST_SHAPES = 32


class TooManyShapes(ValueError):
    """An object has more alternatives than a grammar should spell out."""


@dataclass(frozen=True)
class ObjectShape:
    """One alternative for an object: its members in their order, and which of them are required.

    `others` is the schema of members with other names; None if they are not mentioned or forbidden.
    """

    members: Mapping[str, Schema]
    required: frozenset[str]
    others: Schema | None


def shapes_of(schema: Schema) -> list[ObjectShape]:
    """The alternatives for an object of this schema; raises TooManyShapes."""
    drafts = _drafts(schema.document, schema.node, {})
    return [draft.shape(schema.document) for draft in drafts if draft.is_possible]


@dataclass
class ShapeDraft:
    """A shape that combines what several schemas say about one object."""

    members: dict[str, list[Any]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)
    closed: list[frozenset[str]] = field(default_factory=list)  # each forbids all names but these

    @classmethod
    def merged(cls, drafts: Sequence["ShapeDraft"]) -> "ShapeDraft":
        made = cls()
        for draft in drafts:
            for name, nodes in draft.members.items():
                made.members.setdefault(name, []).extend(nodes)
            made.required += [name for name in draft.required if name not in made.required]
            made.others += draft.others
            made.closed += draft.closed
        return made

    @property
    def is_possible(self) -> bool:
        """Whether every required member is allowed."""
        return all(name in names for names in self.closed for name in self.required)

    def shape(self, document: Document) -> ObjectShape:
        others = Schema(_all_of(self.others), document) if self.others and not self.closed else None
        members = {name: Schema(_all_of(nodes), document) for name, nodes in self.members.items()}
        members |= {name: others or Schema(True) for name in self.required if name not in members}
        allowed = {name: one for name, one in members.items() if all(name in names for names in self.closed)}
        return ObjectShape(allowed, frozenset(self.required), others)


def _drafts(document: Document, node: Any, known: dict[int, list[ShapeDraft]]) -> list[ShapeDraft]:
    if not isinstance(node, Mapping):
        return [ShapeDraft()]
    if id(node) not in known:
        known[id(node)] = [ShapeDraft()]  # for a reference back to this node
        known[id(node)] = _drafts_of(document, node, known)
    return known[id(node)]


def _drafts_of(
    document: Document, node: Mapping[str, Any], known: dict[int, list[ShapeDraft]]
) -> list[ShapeDraft]:
    options = [[_own(node)], *(_drafts(document, part, known) for part in document.all_of(node))]
    for choices in any_of(node):
        objects = [choice for choice in choices if "object" in document.types(choice)]
        options.append([draft for choice in objects for draft in _drafts(document, choice, known)])
    if prod(map(len, options)) > MOST_SHAPES:
        raise TooManyShapes("an object has too many alternatives")
    return [ShapeDraft.merged(drafts) for drafts in product(*options)]


def _own(node: Mapping[str, Any]) -> ShapeDraft:
    properties, others = node.get("properties"), node.get("additionalProperties")
    members = {name: [one] for name, one in properties.items()} if isinstance(properties, Mapping) else {}
    is_closed = others is False and not node.get("patternProperties")
    return ShapeDraft(
        members,
        required_of(node),
        [others] if isinstance(others, Mapping) or others is True else [],
        [frozenset(members)] if is_closed else [],
    )


def _all_of(nodes: list[Any]) -> Any:
    return nodes[0] if len(nodes) == 1 else {"allOf": nodes}

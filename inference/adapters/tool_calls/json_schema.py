"""What a JSON Schema allows in one place: types, values and members, through references and combinations.

The parsers of notations without quotes type their values by it, and the grammars of notations that are not
JSON are written from it, so that both follow the same rules.
"""

import json
from typing import Any

from inference.adapters.tool_calls.schema_document import Document, Pick
from inference.adapters.tool_calls.schema_keywords import TYPES, item_of, member_of, value_types
from inference.adapters.tool_calls.schema_rewriting import with_null


class Schema:
    """One place of a schema; its references are looked up in `document`, the whole schema."""

    def __init__(self, node: Any, document: "Document | None" = None) -> None:
        self.node = node if document else with_null(node)
        self.document = document or Document(self.node)

    @classmethod
    def of(cls, text: str) -> "Schema":
        """The schema in this JSON text; raises ValueError where that is not JSON."""
        return cls(json.loads(text))

    @property
    def key(self) -> object:
        """A key that is the same for the same place of a document, however it was reached."""
        return self.document.key(self.node)

    @property
    def types(self) -> frozenset[str]:
        """The types that a value may have: all of them if nothing restricts them."""
        return self.document.types(self.node)

    @property
    def is_string(self) -> bool:
        """Whether a value can only be a string."""
        return self.types == {"string"}

    @property
    def accepts_string(self) -> bool:
        """Whether a value may be a string."""
        return "string" in self.types

    @property
    def is_unrestricted(self) -> bool:
        """Whether a value may have any type."""
        return self.types == TYPES

    @property
    def values(self) -> list[Any] | None:
        """The only values that are allowed; None if they are not listed."""
        listed = self.document.values(self.node, TYPES, {})
        return listed and [value for value in listed if value_types(value) & self.types]

    @property
    def strings(self) -> list[Any] | None:
        """The only strings that are allowed; None if they are not listed."""
        return self.document.values(self.node, frozenset({"string"}), {})

    def member(self, name: str) -> "Schema":
        """The place of the member of this name."""
        return self._collected(lambda node: member_of(node, name))

    def item(self, place: int) -> "Schema":
        """The place of the list item with this index."""
        return self._collected(lambda node: item_of(node, place))

    def restricted(self, *types: str) -> "Schema":
        """This place, for values of these types only."""
        return Schema({"allOf": [self.node, {"type": list(types)}]}, self.document)

    @property
    def non_string(self) -> "Schema":
        """This place, for all values but strings."""
        return self.restricted(*sorted(TYPES - {"string"}))

    def lower_bound(self, keyword: str) -> int:
        """The largest number of this keyword, such as minItems, here and in all that has to hold as well."""
        return max(self.document.limits(self.node, keyword, set()), default=0)

    def standalone(self) -> dict[str, Any]:
        """This place as a schema of its own, with the definitions that its references need."""
        return self.document.standalone(self.node)

    def _collected(self, pick: Pick) -> "Schema":
        found = self.document.collected(self.node, pick, {})
        return Schema(True if found is None else found, self.document)

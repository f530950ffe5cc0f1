"""JSON Schemas as grammar rules in Gemma's notation; length limits of strings and lists are not enforced."""

import json
import re
from collections.abc import Sequence
from typing import Any

from inference.adapters.tool_calls.grammar_rules import RuleBook, Unwritable, json_rule, literal, pattern_of
from inference.adapters.tool_calls.json_schema import Schema
from inference.adapters.tool_calls.object_shapes import ObjectShape, TooManyShapes, shapes_of

MOST_RULES = 5000
PLAIN_KEY = re.compile(r"[^,:{}\[\]()\"'`<\s](?:[^,:{}\[\]()\"'`<]*[^,:{}\[\]()\"'`<\s])?")
_SCALARS = ("boolean", "integer", "null", "number")
_LONGEST_PREFIX = 16
_VALUES = (
    'any: string | NUMBER | "true" | "false" | "null" | any_list | any_object',
    'any_list: "[" (any ("," any)*)? "]"',
    'any_object: "{" (KEY ":" any ("," KEY ":" any)*)? "}"',
    r"NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/",
    "KEY: /[A-Za-z_][A-Za-z0-9_-]*/",
)


class GemmaRules(RuleBook):
    """The rules of calls; `quote` is the marker around strings, and `mark` its rule."""

    def __init__(self, mark: str, quote: str) -> None:
        super().__init__()
        self._mark = mark
        self._quote = quote
        self._known: dict[object, tuple[str, Schema]] = {}  # with the schema, whose id may be in its key
        is_token = mark.startswith("<[")
        forbidden = [pattern_of(quote)]
        text = self.text_before(mark, forbidden) if is_token else self.text_until(quote, forbidden)
        self.fill("string", f"{mark} {text}")
        self.lines += _VALUES

    def object_of(self, schema: Schema) -> str:
        """The rule of an object of this schema; raises Unwritable and TooManyShapes."""
        shapes = shapes_of(schema)
        if not shapes:
            raise Unwritable("no arguments follow the schema")
        return self.add(" | ".join(self._object(shape) for shape in shapes))

    def _object(self, shape: ObjectShape) -> str:
        if not shape.members:
            return '"{}"' if shape.others is None else self._map(shape.others)
        members = []
        for key in sorted(shape.members, key=str.lower):
            is_required = key in shape.required
            member = self._member(key, shape.members[key])
            if member:
                members.append((member, is_required))
            elif is_required:
                raise Unwritable(f"its parameter {key[:64]!r} cannot be written in this model's tool calls")
        return f'"{{" {self.members(members, literal(","))} "}}"'

    def _map(self, others: Schema) -> str:
        member = self.add(f'KEY ":" {self._value(others) or "any"}')
        return f'"{{" ({member} ("," {member})*)? "}}"'

    def _member(self, key: str, schema: Schema) -> str:
        """The rule of a member; empty if its key or its value cannot be written."""
        value = self._value(schema)
        if not value or self._quote in key:
            return ""
        if PLAIN_KEY.fullmatch(key):
            return f"{literal(f'{key}:')} {value}"
        return f'{self._quoted(key)} ":" {value}'

    def _value(self, schema: Schema) -> str:
        """The name of the rule of a value; empty if no value can be written."""
        if (listed := schema.values) is not None:
            constants = self._constants(listed)
            return self.add(" | ".join(constants)) if constants else ""
        if schema.is_unrestricted or not schema.types:
            return "any" if schema.types else ""
        if schema.key not in self._known:
            name = self.reserve()
            self._known[schema.key] = name, schema
            self.fill(name, " | ".join(self._alternatives(schema)))
            if len(self.lines) > MOST_RULES:
                raise TooManyShapes("a value has too many alternatives")
        return self._known[schema.key][0]

    def _alternatives(self, schema: Schema) -> list[str]:
        scalars = [kind for kind in _SCALARS if kind in schema.types]
        ways = [self.add(json_rule(schema.restricted(*scalars).standalone()))] if scalars else []
        ways += ["string"] if schema.strings is None else self._constants(schema.strings)
        ways += [self.object_of(schema)] if "object" in schema.types else []
        return [*ways, self._list(schema)] if "array" in schema.types else ways

    def _list(self, schema: Schema) -> str:
        item = self._value(schema.item(_LONGEST_PREFIX))
        first = [self._value(schema.item(place)) for place in range(_LONGEST_PREFIX)]
        while first and first[-1] == item:
            first.pop()
        begun, *others = first or [item]
        if not begun:
            return literal("[]")
        more = self.add(f'("," {item})*' if item else '""')
        for one in reversed(others):
            more = self.add(f'("," {one} {more})?')
        some = f"{begun} {more}"
        return self.add(f'"[" {some} "]"' if schema.lower_bound("minItems") else f'"[" ({some})? "]"')

    def _constants(self, values: Sequence[Any]) -> list[str]:
        return [rule for value in values if (rule := self._constant(value))]

    def _constant(self, value: Any) -> str:
        """The rule of one value; empty if one of its strings contains the marker of a quote."""
        if isinstance(value, str):
            return "" if self._quote in value else f"({self._quoted(value)})"
        if isinstance(value, list):
            return self._joined('"["', [self._constant(one) for one in value], '"]"')
        if isinstance(value, dict):
            members = [self._pair(key, value[key]) for key in sorted(value, key=str.lower)]
            return self._joined('"{"', members, '"}"')
        return literal(json.dumps(value))

    def _pair(self, key: str, value: Any) -> str:
        rule = self._constant(value)
        return f'{self._quoted(key)} ":" {rule}' if rule and self._quote not in key else ""

    def _joined(self, opening: str, parts: list[str], closing: str) -> str:
        if not all(parts):
            return ""
        inside = ' "," '.join(parts)
        return f"({opening} {inside} {closing})"

    def _quoted(self, text: str) -> str:
        return f"{self._mark} {literal(text)} {self._mark}"

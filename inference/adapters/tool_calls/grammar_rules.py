"""Rules of an llguidance grammar, which get their names one after another.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

import json
import re
from collections.abc import Sequence
from typing import Any

# JSON as chat templates, and therefore models, write it.
PLAIN = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


class Unwritable(ValueError):
    """A schema requires something that the syntax of these calls cannot express."""


def literal(text: str) -> str:
    """The rule of exactly this text."""
    return json.dumps(text, ensure_ascii=False)


def json_rule(schema: Any) -> str:
    """The rule of a value that follows a schema, written as JSON."""
    return f"%json {json.dumps({**schema, 'x-guidance': PLAIN})}"


def pattern_of(text: str) -> str:
    """A regular expression of exactly this text; re.escape uses escapes that llguidance does not know."""
    return _SPECIAL.sub(r"\\\g<0>", text).replace("\n", r"\n")


class RuleBook:
    """Collects rules; `lines` has the definition of each."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0
        self._texts: dict[tuple[str, ...], str] = {}

    def add(self, rule: str) -> str:
        """Define a new rule and return its name."""
        name = self.reserve()
        self.fill(name, rule)
        return name

    def reserve(self) -> str:
        """The name of a rule that `fill` defines later; recursive rules need it before."""
        self._count += 1
        return f"rule_{self._count}"

    def fill(self, name: str, rule: str) -> None:
        """Define the rule of this name."""
        self.lines.append(f"{name}: {rule}")

    def members(self, members: Sequence[tuple[str, bool]], separator: str) -> str:
        """The name of a rule of these members in this order, each with whether it is required."""
        first = rest = self.add('""')
        for member, is_required in reversed(members):
            with_first, with_rest = f"{member} {rest}", f"{separator} {member} {rest}"
            first = self.add(with_first if is_required else f"{with_first} | {first}")
            rest = self.add(with_rest if is_required else f"{with_rest} | {rest}")
        return first

    def text(self, forbidden: Sequence[str]) -> str:
        """The name of a terminal: any text in which none of these patterns matches."""
        key = tuple(sorted(forbidden))
        if key not in self._texts:
            self._texts[key] = f"TEXT_{len(self._texts)}"
            any_of = "|".join(key).replace("/", r"\/")
            self.lines.append(f"{self._texts[key]}: /(?s:.*)/ & ~/(?s:.*)({any_of})(?s:.*)/")
        return self._texts[key]

    def text_before(self, token: str, forbidden: Sequence[str], end: str = "") -> str:
        """Such a text up to a token of the vocabulary; it ends with `end`."""
        name = f"TEXT_BEFORE_{len(self.lines)}"
        self.lines.append(f"{name}: {self.text(forbidden)} {literal(end) if end else ''}".rstrip())
        return f"{name} {token}"

    def text_until(self, end: str, forbidden: Sequence[str]) -> str:
        """Such a text up to and including the first `end`."""
        name = f"text_until_{len(self.lines)}"
        terminal = name.upper()
        self.lines.append(f"{terminal}: {self.text(forbidden)} {literal(end)}")
        self.lines.append(f"{name}[lazy]: {terminal}")
        return name

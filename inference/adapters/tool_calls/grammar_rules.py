"""Rules of an llguidance grammar, made and named one after another.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

import json
import re
from collections.abc import Sequence
from typing import Any

# As templates write JSON, and so as models have read it.
PLAIN = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


class Unwritable(ValueError):
    """A schema asks for something that this manner of calling has no way to write."""


def literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def json_rule(schema: Any) -> str:
    """What follows a schema, written as JSON."""
    return f"%json {json.dumps({**schema, 'x-guidance': PLAIN})}"


def pattern_of(text: str) -> str:
    """A regular expression of exactly this text; Python's own escapes more than llguidance's knows."""
    return _SPECIAL.sub(r"\\\g<0>", text).replace("\n", r"\n")


class RuleBook:
    """`made` are the rules so far, a line each."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._count = 0
        self._texts: dict[tuple[str, ...], str] = {}

    def named(self, rule: str) -> str:
        """The name of a new rule that is this."""
        name = self.reserved()
        self.fill(name, rule)
        return name

    def reserved(self) -> str:
        """A name for a rule that is filled later, as rules that lead back to themselves are."""
        self._count += 1
        return f"rule_{self._count}"

    def fill(self, name: str, rule: str) -> None:
        self.made.append(f"{name}: {rule}")

    def members(self, members: Sequence[tuple[str, bool]], separator: str) -> str:
        """A rule of these members in this order; each with whether it must be there."""
        first = rest = self.named('""')
        for member, is_required in reversed(members):
            with_first, with_rest = f"{member} {rest}", f"{separator} {member} {rest}"
            first = self.named(with_first if is_required else f"{with_first} | {first}")
            rest = self.named(with_rest if is_required else f"{with_rest} | {rest}")
        return first

    def text(self, barred: Sequence[str]) -> str:
        """The name of a terminal: any text in which none of these patterns is found."""
        key = tuple(sorted(barred))
        if key not in self._texts:
            self._texts[key] = f"TEXT_{len(self._texts)}"
            any_of = "|".join(key).replace("/", r"\/")
            self.made.append(f"{self._texts[key]}: /(?s:.*)/ & ~/(?s:.*)({any_of})(?s:.*)/")
        return self._texts[key]

    def text_before(self, token: str, barred: Sequence[str], end: str = "") -> str:
        """Such a text up to a token of the vocabulary; `end` is the last of it."""
        name = f"TEXT_BEFORE_{len(self.made)}"
        self.made.append(f"{name}: {self.text(barred)} {literal(end) if end else ''}".rstrip())
        return f"{name} {token}"

    def text_until(self, end: str, barred: Sequence[str]) -> str:
        """Such a text with what ends it, for the first time."""
        name = f"text_until_{len(self.made)}"
        terminal = name.upper()
        self.made.append(f"{terminal}: {self.text(barred)} {literal(end)}")
        self.made.append(f"{name}[lazy]: {terminal}")
        return name

"""What Claude Code writes into system texts with every request, and that no model needs.

The values change each time, so whatever comes behind them would be prefilled anew with every request. They
are recognised by their whole form, and in system texts alone: a user may write about them. Proxies that
translate Claude Code's requests send them to the other APIs too, at times without the line break behind the
header.

Nothing else is left out: a date or a time may be what the answer needs.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

# Pairs such as `cc_version=2.1.9; cch=a1;`, or else whatever the line has.
_PAIRS = r"(?:[ \t]*[\w.-]+=[^;\n]*(?:;|(?=\n|\Z)))+"
_BILLING = re.compile(rf"\A\s*x-anthropic-billing-header:(?:{_PAIRS}[ \t]*|[^\n]*)\n*")
_COUNTER = re.compile(r"\s*<total_tokens>\s*[\d,_.]+(?: tokens?)?(?: left)?\s*</total_tokens>[ \t]*")


class HasText(Protocol):
    """A piece of a message's content."""

    @property
    def text(self) -> str: ...


def marks_in(text: str) -> list[str]:
    """The names of the marks that a system text has."""
    found = ["x-anthropic-billing-header"] if _BILLING.match(text) else []
    return [*found, "total_tokens"] if _COUNTER.search(text) else found


def without_marks(text: str) -> str:
    """A system text without them; empty where it is nothing else."""
    kept = _COUNTER.sub("", _BILLING.sub("", text))
    return text if kept == text else kept.strip("\n")


def marks_of(field: str, content: str | Sequence[HasText] | None) -> Iterator[str]:
    """The marks of a system message's content, as `field:mark` or `field.0:mark`."""
    if isinstance(content, str):
        yield from (f"{field}:{mark}" for mark in marks_in(content))
        return
    for place, part in enumerate(content or ()):
        yield from (f"{field}.{place}:{mark}" for mark in marks_in(part.text))


def system_text(content: str | Sequence[HasText] | None) -> str:
    """The text of a system message without them; its parts are joined without a separator."""
    texts = [content] if isinstance(content, str) else [part.text for part in content or ()]
    return "".join(map(without_marks, texts))

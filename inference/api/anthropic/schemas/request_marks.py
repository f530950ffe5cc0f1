"""What Claude Code writes into system texts with every request, and that no model needs.

The values change each time, so whatever comes behind them would be prefilled anew with every request. Both
are recognised by their whole form, and in system texts alone: a user may write about them.
"""

import re

_BILLING = re.compile(r"\A\s*x-anthropic-billing-header:[^\n]*\n*")
_COUNTER = re.compile(r"\s*<total_tokens>\s*[\d,_.]+(?: tokens?)?(?: left)?\s*</total_tokens>[ \t]*")


def marks_in(text: str) -> list[str]:
    """The names of the marks that a system text has."""
    found = ["x-anthropic-billing-header"] if _BILLING.match(text) else []
    return [*found, "total_tokens"] if _COUNTER.search(text) else found


def without_marks(text: str) -> str:
    """A system text without them; empty where it is nothing else."""
    kept = _COUNTER.sub("", _BILLING.sub("", text))
    return text if kept == text else kept.strip("\n")

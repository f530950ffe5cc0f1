"""llguidance's errors as messages for the author of a schema."""

import re

from inference.worker.sampling.grammar_dead_ends import COMPLEX

_KEYWORDS = re.compile(r"Unimplemented keys: \[(.*)\]")


def first_line(text: str) -> str:
    """The first line of an error, 200 characters at most."""
    return text.strip().splitlines()[0][:200] if text.strip() else ""


def reason_for(error: str) -> str:
    """Why a schema is refused, given what llguidance says about its grammar."""
    first = first_line(error)
    if found := _KEYWORDS.search(first):
        named = found[1].replace('"', "'")
        return f"The schema's {named} cannot be enforced; leave it out."
    if "too large" in first or "too complex" in first or "items; max" in first or "fuel" in first:
        return COMPLEX
    return f"The schema cannot be enforced: {first.rstrip('.')}."

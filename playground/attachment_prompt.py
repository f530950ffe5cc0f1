"""The files of a question as the model reads them: each with its name, in a fence of its own."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_FENCES = re.compile("`{3,}")


def with_attachments(content: str, attachments: Iterable[Mapping[str, Any]] | None) -> str:
    """The question as the model reads it: its texts of files in their order, then its own.

    Files come first, since models answer best what is asked after a long text.
    """
    files = [f"{_name(one)}\n{fenced(one['text'])}" for one in attachments or () if "text" in one]
    return "\n\n".join([*files, content]) if files else content


def fenced(text: str) -> str:
    """`text` in a fence that is longer than any in it."""
    fence = "`" * max(3, max(map(len, _FENCES.findall(text)), default=0) + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def _name(attachment: Mapping[str, Any]) -> str:
    """The name in one line."""
    return " ".join(str(attachment["name"]).split())

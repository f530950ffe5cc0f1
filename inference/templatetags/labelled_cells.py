"""{% labelled_cells result headers %}: a row of a list whose cells have the names of their columns."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import conditional_escape, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()
_BEGINNING = re.compile(r"^<(td|th)")


@register.simple_tag
def labelled_cells(result: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> SafeString:
    """Django's cells in their order; that of the tick has no name."""
    return mark_safe(  # noqa: S308 - the cells are HTML from Django already
        "".join(_labelled(cell, header["text"]) for cell, header in zip(result, headers, strict=True))
    )


def _labelled(cell: SafeString, name: object) -> str:
    label = strip_tags(str(capfirst(str(name)))).strip()
    attribute = f' data-label="{conditional_escape(label)}"'
    return _BEGINNING.sub(lambda tag: tag[0] + attribute, cell) if label else cell

"""{{ text|code_spans }}: a sentence with its commands, which are between backticks, set as code."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
_SPAN = re.compile("`([^`]+)`")


@register.filter
def code_spans(text: str) -> SafeString:
    """The text as HTML; everything in it is escaped."""
    parts = _SPAN.split(text)  # every other one was between backticks
    coded = (
        format_html("<code>{}</code>" if number % 2 else "{}", part) for number, part in enumerate(parts)
    )
    return format_html_join("", "{}", ((part,) for part in coded))

"""{% local_time moment %}: a time in UTC that the page's script shows in the visitor's own."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from inference.admin import times

register = template.Library()


@register.simple_tag
def local_time(moment: datetime | None) -> SafeString:
    return times.local_time(moment)

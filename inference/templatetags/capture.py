"""{% captured_until as end %}: the end of the current capture of prompts and answers; None without one."""

from datetime import datetime

from django import template

from inference.models.request_record import Capture

register = template.Library()


@register.simple_tag
def captured_until() -> datetime | None:
    return Capture.objects.end()

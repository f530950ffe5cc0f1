"""{% captured_until as end %}: when the capture of prompts and answers ends; nothing when there is none."""

from datetime import datetime

from django import template

from inference.models.request_record import Capture

register = template.Library()


@register.simple_tag
def captured_until() -> datetime | None:
    return Capture.objects.end()

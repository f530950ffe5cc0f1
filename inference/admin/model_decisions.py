"""The last decisions about a model: why it was loaded, evicted or refused."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.text import capfirst

from inference.models import PoolEvent

_SHOWN = 5


def model_decisions(name: str) -> str:
    """The newest decisions with their times, and a link to all of them."""
    events = list(PoolEvent.objects.filter(model=name)[:_SHOWN])
    if not events:
        return "None yet."
    lines = format_html_join(
        "", "{} UTC: {}<br>", ((f"{event.at:%Y-%m-%d %H:%M:%S}", capfirst(event.text)) for event in events)
    )
    query = urlencode({"model": name})
    every = reverse("admin:inference_poolevent_changelist")
    return format_html('{}<a href="{}?{}">All decisions about it</a>', lines, every, query)

"""A request's time as bars, and what the scheduler did meanwhile."""

from datetime import timedelta

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst

from inference.admin.times import seconds
from inference.models import PoolEvent
from inference.models.request_record import RequestRecord
from inference.serving.recording.request_phases import phases, total_ms

_WIDTH = 1000
_MOST_EVENTS = 20
_AROUND = timedelta(seconds=1)  # the clocks of the record and of the decisions are read at different moments
_TABLE = (
    '<table class="timeline"><tbody>{}</tbody><tfoot><tr><th scope="row">All</th><td></td>'
    "<td>{}</td><td>{}</td></tr></tfoot></table>"
)
_ROW = (
    '<tr><th scope="row">{}</th><td><svg viewBox="0 0 {} 12" preserveAspectRatio="none" aria-hidden="true">'
    '<rect data-series="{}" x="{}" y="0" width="{}" height="12"></rect></svg></td><td>{}</td><td>{}</td></tr>'
)


def timeline(record: RequestRecord) -> str:
    """The phases as rows with bars, and their sum."""
    whole, begin, rows = max(total_ms(record), 1), 0, []
    for number, phase in enumerate(phases(record)):
        if phase.ms or phase.name != "paused":
            x, width = (round(_WIDTH * ms / whole, 1) for ms in (begin, phase.ms))
            rows.append((phase.name.capitalize(), _WIDTH, number, x, width, seconds(phase.ms), phase.note))
        begin += phase.ms
    first = record.queued_ms + record.loading_ms + record.prefill_ms
    note = f"The first token came after {seconds(first)}." if record.completion_tokens else ""
    return format_html(_TABLE, format_html_join("", _ROW, rows), seconds(total_ms(record)), note)


def decisions(record: RequestRecord) -> str:
    """What the scheduler did while the request went on: why it waited, was refused, or lost its model."""
    end = record.at + timedelta(milliseconds=total_ms(record))
    events = PoolEvent.objects.filter(at__range=(record.at - _AROUND, end + _AROUND)).order_by("at", "pk")
    rows = [
        (
            f"{max(0.0, (event.at - record.at).total_seconds()):.1f} s",
            reverse("admin:inference_poolevent_change", args=[event.pk]),
            capfirst(event.text),
        )
        for event in events[:_MOST_EVENTS]
    ]
    if not rows:
        return "The scheduler loaded, evicted and refused nothing during the request."
    items = format_html_join("", '<li>After {}: <a href="{}">{}</a></li>', rows)
    return format_html('<ul class="decisions">{}</ul>', items)

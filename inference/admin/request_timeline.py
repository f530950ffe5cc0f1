"""A request's time as bars: what it waited for, and what it was computed with."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from msgspec import Struct

from inference.admin.times import seconds
from inference.models import PoolEvent
from inference.models.request_record import RequestRecord

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


class Phase(Struct, frozen=True, kw_only=True):
    """One phase: its duration in milliseconds, and what there is to say of it."""

    name: str
    ms: int
    note: str = ""


def total_ms(record: RequestRecord) -> int:
    return sum(phase.ms for phase in phases(record))


def phases(record: RequestRecord) -> tuple[Phase, ...]:
    """In the order in which they begin; pauses interrupt prefill and decode, and are shown after them."""
    return (
        Phase(name="queued", ms=record.queued_ms, note=_why_it_waited(record)),
        Phase(
            name="loading",
            ms=record.loading_ms,
            note="The model was not in memory." * bool(record.loading_ms),
        ),
        Phase(name="prefill", ms=record.prefill_ms, note=_prompt(record)),
        Phase(name="decode", ms=record.decode_ms, note=_answer(record)),
        Phase(
            name="paused",
            ms=record.paused_ms,
            note="Until there was memory for the rest of its answer." * bool(record.paused_ms),
        ),
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


def _why_it_waited(record: RequestRecord) -> str:
    return " ".join(_reasons(record))


def _reasons(record: RequestRecord) -> Iterator[str]:
    if record.queue_place:
        yield f"It began at position {record.queue_place} in the queue."
    if record.own_ahead:
        answers = "an earlier answer" if record.own_ahead == 1 else f"{record.own_ahead} earlier answers"
        yield f"Its account had {answers}, so others were served first."


def _prompt(record: RequestRecord) -> str:
    new = max(0, record.prompt_tokens - record.cached_tokens)
    cached = f", {record.cached_tokens:,} more were cached" if record.cached_tokens else ""
    return f"{new:,} tokens{_rate(new, record.prefill_ms)}{cached}" if record.prompt_tokens else ""


def _answer(record: RequestRecord) -> str:
    if not record.completion_tokens:
        return ""
    drafted = (
        f", {record.accepted_tokens:,} of {record.drafted_tokens:,} drafted tokens were accepted"
        if record.drafted_tokens
        else ""
    )
    rate = _rate(record.completion_tokens, record.decode_ms)
    return f"{record.completion_tokens:,} tokens{rate}{drafted}"


def _rate(tokens: int, ms: int) -> str:
    return f" at {1000 * tokens / ms:,.0f} tokens/s" if tokens and ms else ""

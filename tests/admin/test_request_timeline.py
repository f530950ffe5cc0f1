"""A request's time as bars, with what the scheduler did meanwhile."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from inference.admin.request_timeline import decisions, timeline
from inference.models import PoolEvent
from inference.models.request_record import RequestRecord
from tests.admin.test_request_admin import page, page_of, record
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def event(row: RequestRecord, after_s: float, text: str) -> None:
    PoolEvent.objects.create(kind="evicted", model="big", text=text, at=row.at + timedelta(seconds=after_s))


def test_bars_follow_each_other_and_fill_the_line() -> None:
    row = record(queued_ms=1000, loading_ms=2000, prefill_ms=3000, decode_ms=3000, paused_ms=1000)
    bars = re.findall(r' x="([\d.]+)" y="0" width="([\d.]+)"', timeline(row))
    assert [tuple(map(float, bar)) for bar in bars] == [
        (0, 100),
        (100, 200),
        (300, 300),
        (600, 300),
        (900, 100),
    ]
    assert "10.0 s" in timeline(row)
    assert "NaN" not in timeline(record()) and "Paused" not in timeline(record())


def test_it_says_when_the_first_token_came() -> None:
    assert "The first token came after 2.0 s." in timeline(record(prefill_ms=2000, completion_tokens=60))
    assert "first token" not in timeline(record(prefill_ms=2000))


def test_what_the_scheduler_did_meanwhile_is_told_and_nothing_else() -> None:
    row = record(queued_ms=5000, decode_ms=5000)
    event(row, -60, "evicted too early")
    event(row, 2, "evicted <big>")
    event(row, 60, "evicted too late")
    told = decisions(row)
    assert "After 2.0 s" in told and "Evicted &lt;big&gt;" in told and told.count("<li>") == 1
    assert "nothing during the request" in decisions(record(at=row.at + timedelta(days=1)))


def test_the_page_shows_decisions_to_those_who_may_view_them(staff: Client) -> None:
    row = record(kind="title", queued_ms=5000)
    event(row, 1, "evicted big")
    assert "Evicted big" in page(staff, page_of(row)) and ">title<" in page(staff, page_of(row))
    viewer = page(client_of("bob", "view_requestrecord"), page_of(row))
    assert "5.0 s" in viewer and "Evicted big" not in viewer

"""The phases of a request, with what is known of why it waited."""

import pytest

from inference.serving.recording.request_phases import phases, total_ms
from tests.admin.test_request_admin import record

pytestmark = pytest.mark.django_db


def test_they_add_up() -> None:
    row = record(queued_ms=1000, loading_ms=2000, prefill_ms=3000, decode_ms=3000, paused_ms=1000)
    assert total_ms(row) == 10_000
    assert [phase.name for phase in phases(row)] == ["queued", "loading", "prefill", "decode", "paused"]


def test_cached_and_drafted_tokens_and_rates_are_told() -> None:
    tokens = {"prompt_tokens": 1200, "cached_tokens": 1000, "completion_tokens": 60}
    row = record(prefill_ms=2000, decode_ms=3000, drafted_tokens=30, accepted_tokens=20, **tokens)
    notes = {phase.name: phase.note for phase in phases(row)}
    assert notes["prefill"] == "200 tokens at 100 tokens/s, 1,000 more were cached"
    assert notes["decode"] == "60 tokens at 20 tokens/s, 20 of 30 drafted tokens were accepted"


def test_why_it_waited_is_told() -> None:
    notes = {phase.name: phase.note for phase in phases(record(queue_place=3, own_ahead=2, loading_ms=1))}
    assert notes["queued"] == (
        "It began at position 3 in the queue. Its account had 2 earlier answers, so others were served first."
    )
    assert notes["loading"] == "The model was not in memory."

"""What is known of requests that are over, as data for /api and manage.py; never their text."""

from datetime import datetime

from django.db.models import QuerySet
from msgspec import Struct

from inference.models.request_record import RequestRecord
from inference.serving.recording.request_phases import Phase, phases, total_ms

NAMELESS = {"local": "this machine", "key": "the operator's key"}  # callers without a name


class RequestReport(Struct, frozen=True, kw_only=True):
    """One request: who asked what and how it ended, its tokens, and its time in milliseconds."""

    id: str  # the X-Request-Id of its response; empty where it had none
    at: datetime
    caller: str
    model: str
    kind: str
    dialect: str
    finish: str
    error: str
    has_left: bool  # the client disconnected
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    drafted_tokens: int
    accepted_tokens: int
    noted: str
    total_ms: int
    phases: tuple[Phase, ...]


def caller_of(record: RequestRecord) -> str:
    """The name of the key or the account, or what has none."""
    return record.key.name if record.key else record.principal or NAMELESS[record.principal_kind]


def newest(most: int) -> list[RequestReport]:
    """The newest requests first, at most so many."""
    return [_report(record) for record in _records()[:most]]


def of(request_id: str) -> RequestReport | None:
    """The newest request with this id, which a client may choose; None where there is none."""
    record = _records().filter(request_id=request_id).first() if request_id else None
    return _report(record) if record else None


def _records() -> "QuerySet[RequestRecord]":
    return RequestRecord.objects.select_related("key").defer("prompt", "answer")


def _report(record: RequestRecord) -> RequestReport:
    same = {
        name: getattr(record, name)
        for name in RequestReport.__struct_fields__
        if name not in {"id", "caller", "total_ms", "phases"}
    }
    return RequestReport(
        id=record.request_id,
        caller=caller_of(record),
        total_ms=total_ms(record),
        phases=phases(record),
        **same,
    )

"""Captures over /api: listed, started, stopped, and their text deleted, as on the admin's page."""

from datetime import UTC, datetime, timedelta

from django.contrib.admin.models import ADDITION
from django.contrib.auth.models import User
from msgspec import Struct

from inference.accounts import audit_log
from inference.core.errors import NotFound
from inference.models.request_record import Capture, RequestRecord


class ListedCapture(Struct, frozen=True, kw_only=True):
    """A capture without the text that it stores; times are UTC."""

    id: int
    reason: str
    is_active: bool
    began_at: datetime
    until: datetime
    began_by: str
    requests: int  # that have stored text

    @classmethod
    def of(cls, row: Capture) -> "ListedCapture":
        return cls(
            id=row.pk,
            reason=row.reason,
            is_active=row.is_on,
            began_at=row.began_at,
            until=row.until,
            began_by=row.began_by.get_username() if row.began_by else "",
            requests=RequestRecord.objects.with_captured_text(Capture.objects.records([row])).count(),
        )


def listed() -> list[ListedCapture]:
    """Every capture, the newest first."""
    return [ListedCapture.of(row) for row in Capture.objects.select_related("began_by")]


def start(reason: str, hours: float, giver: User | None) -> ListedCapture:
    """Capture the prompts and answers of the next hours."""
    row = Capture(reason=reason, until=datetime.now(UTC) + timedelta(hours=hours), began_by=giver)
    row.save()
    _record(giver, row, "Started.", ADDITION)
    return ListedCapture.of(row)


def stop(number: int, giver: User | None) -> ListedCapture:
    """End a capture now, also one that has ended; raises NotFound."""
    row = _found(number)
    if row.is_on:
        row.stop()
        _record(giver, row, "Stopped.")
    return ListedCapture.of(row)


def delete_text(number: int, giver: User | None) -> ListedCapture:
    """Delete the prompts and answers that a capture stored; the records stay. Raises NotFound."""
    row = _found(number)
    count = RequestRecord.objects.delete_captured_text(Capture.objects.records([row]))
    if count:
        requests = "1 request" if count == 1 else f"{count:,} requests"
        _record(giver, row, f"Deleted the prompts and answers of {requests}.")
    return ListedCapture.of(row)


def _found(number: int) -> Capture:
    row = Capture.objects.select_related("began_by").filter(pk=number).first()
    if row is None:
        raise NotFound("There is no capture with this id.", param="id")
    return row


def _record(giver: User | None, row: Capture, text: str, flag: int | None = None) -> None:
    owner = giver or row.began_by
    if owner:  # a capture that the operator began belongs to no account
        audit_log.record(giver, owner, row, text, *([flag] if flag else []))

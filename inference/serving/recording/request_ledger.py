"""The ledger of requests: a row for each in the database, and the use of each key."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import close_old_connections, transaction
from django.db.models import F

from inference.models.api_key import ApiKey, KeyDay
from inference.models.request_record import RequestRecord
from inference.models.usage_limits import AccountDay, today
from inference.serving.recording.capture_switch import SWITCH
from inference.serving.recording.request_entry import Note, RequestEntry
from inference.serving.recording.usage_rollup import add_up
from inference.storage.background_writer import BackgroundWriter

_BATCH_SIZE = 200  # in one transaction: enough for any load, and soon over


def write(notes: Sequence[Note]) -> None:
    """Write one batch; raises OperationalError or InterfaceError when it cannot be written now."""
    try:
        with transaction.atomic():
            keys = _keys_of(notes)
            entries = [note for note in notes if isinstance(note, RequestEntry)]
            _record(entries, keys)
            add_up(entries, keys)
            _count(entries, keys)
            _count_accounts(entries)
            _note_use(notes, keys)
            SWITCH.refresh()  # another process may have begun or ended a capture
    finally:
        close_old_connections()


class Ledger(BackgroundWriter[Note]):
    """Call it with an entry; a thread writes it soon."""

    def __init__(
        self,
        write: Callable[[Sequence[Note]], None] = write,
        *,
        capacity: int = 10_000,
        retry_after_s: float = 2.0,
    ) -> None:
        super().__init__(
            write,
            name="the requests' records",
            batch_size=_BATCH_SIZE,
            capacity=capacity,
            retry_after_s=retry_after_s,
        )


def _prefix(note: Note) -> str:
    if isinstance(note, RequestEntry):
        return note.principal if note.principal_kind == "key" else ""
    return note.prefix


def _keys_of(notes: Sequence[Note]) -> dict[str, ApiKey]:
    """The keys that still exist, by prefix."""
    named = {prefix for note in notes if (prefix := _prefix(note))}
    return {key.prefix: key for key in ApiKey.objects.filter(prefix__in=named)}


def _record(entries: Sequence[RequestEntry], keys: dict[str, ApiKey]) -> None:
    if settings.CONFIG.record_days and settings.CONFIG.record_rows:
        RequestRecord.objects.bulk_create(_row(entry, keys.get(_prefix(entry))) for entry in entries)


def _row(entry: RequestEntry, key: ApiKey | None) -> RequestRecord:
    return RequestRecord(
        at=datetime.fromtimestamp(entry.at, UTC),
        principal_kind=entry.principal_kind,
        principal=entry.principal[:200],
        key=key,
        model=entry.model[:500],
        kind=entry.kind,
        dialect=entry.dialect,
        request_id=entry.request_id[:128],
        noted=entry.noted,
        queued_ms=_ms(entry.queued_s),
        loading_ms=_ms(entry.loading_s),
        paused_ms=_ms(entry.paused_s),
        queue_place=entry.queue_place,
        own_ahead=entry.own_ahead,
        prefill_ms=_ms(entry.prefill_s),
        decode_ms=_ms(entry.decode_s),
        prompt_tokens=entry.prompt_tokens,
        completion_tokens=entry.completion_tokens,
        cached_tokens=entry.cached_tokens,
        drafted_tokens=entry.drafted_tokens,
        accepted_tokens=entry.accepted_tokens,
        finish=entry.finish[:200],
        error=entry.error[:100],
        has_left=entry.has_left,
        prompt=entry.prompt,
        answer=entry.answer,
    )


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _count(entries: Iterable[RequestEntry], keys: dict[str, ApiKey]) -> None:
    """Add each request's tokens to its key's day, which is the day of the request's end."""
    found: dict[str, list[RequestEntry]] = defaultdict(list)
    for entry in entries:
        if (prefix := _prefix(entry)) in keys:
            found[prefix].append(entry)
    for prefix, own in found.items():
        _add_to_day(KeyDay.objects.get_or_create(key=keys[prefix], day=today().date())[0], own)


def _count_accounts(entries: Iterable[RequestEntry]) -> None:
    """Add the requests' tokens to the days of their accounts."""
    found: dict[str, list[RequestEntry]] = defaultdict(list)
    for entry in entries:
        if entry.account:
            found[entry.account].append(entry)
    for user in get_user_model().objects.filter(username__in=found):
        row, _ = AccountDay.objects.get_or_create(user=user, day=today().date())
        _add_to_day(row, found[user.get_username()])


def _add_to_day(row: KeyDay | AccountDay, entries: Sequence[RequestEntry]) -> None:
    """Add to a row in the database itself: another process may do so at the same time."""
    type(row).objects.filter(pk=row.pk).update(
        requests=F("requests") + len(entries),
        prompt_tokens=F("prompt_tokens") + sum(entry.prompt_tokens for entry in entries),
        completion_tokens=F("completion_tokens") + sum(entry.completion_tokens for entry in entries),
    )


def _note_use(notes: Sequence[Note], keys: dict[str, ApiKey]) -> None:
    for note in notes:
        if key := keys.get(_prefix(note)):
            key.record_use(datetime.fromtimestamp(note.at, UTC))

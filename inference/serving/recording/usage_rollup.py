"""The roll-up of requests into the hours of their usage."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from inference.core.errors import ModelNotFound
from inference.models.api_key import ApiKey
from inference.models.usage_hour import UsageHour
from inference.serving.recording.request_entry import RequestEntry


def add_up(entries: Iterable[RequestEntry], keys: Mapping[str, ApiKey]) -> None:
    """Add the requests to the hours in which they began; `keys` are those that exist, by prefix."""
    sums: dict[tuple[datetime, str, str, str, str], UsageHour] = {}
    for entry in entries:
        row = _row(entry, keys)
        place = row.hour, row.model, row.caller_kind, row.key_prefix, row.account
        _add(sums.setdefault(place, row), entry)
    for row in sums.values():
        UsageHour.objects.add(row)


def _row(entry: RequestEntry, keys: Mapping[str, ApiKey]) -> UsageHour:
    prefix = entry.principal if entry.principal_kind == "key" else ""
    key = keys.get(prefix)
    return UsageHour(
        hour=datetime.fromtimestamp(entry.at, UTC).replace(minute=0, second=0, microsecond=0),
        # Clients may send any name, and the table has an end.
        model="" if entry.error == ModelNotFound.code else entry.model[:500],
        caller_kind=entry.principal_kind,
        key_prefix=prefix[:20],
        key_name=key.name if key else "",
        account=entry.account[:150],
    )


def _add(row: UsageHour, entry: RequestEntry) -> None:
    row.requests += 1
    row.errors += bool(entry.error)
    row.prompt_tokens += entry.prompt_tokens
    row.cached_tokens += entry.cached_tokens
    row.completion_tokens += entry.completion_tokens

"""The admin's page of the log: the latest lines of the site and its workers, filtered."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from msgspec import Struct

from inference.admin.local_time import local_time, zone_name, zone_of
from inference.admin.page_admin import PageAdmin
from inference.core.log_ring import RING, LogEntry, LogFilter
from inference.models import LogLine

LEVELS = {"": "All", "INFO": "Info and worse", "WARNING": "Warnings and worse", "ERROR": "Errors"}
_MOST = 300
_LONGEST = 200  # characters of a filter


class LineRow(Struct, frozen=True, kw_only=True):
    """One line of the page."""

    time: str
    entry: LogEntry


@admin.register(LogLine)
class LogLineAdmin(PageAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        wanted, zone = filter_of(request), zone_of(request)
        found = list(islice(RING.entries(wanted), _MOST + 1))
        oldest = min((entry.at for entry in RING.entries()), default=None)
        shown = {
            "wanted": wanted,
            "levels": LEVELS,
            "rows": _rows(found[:_MOST], zone),
            "most": _MOST if len(found) > _MOST else None,
            "oldest": local_time(oldest, zone) if oldest else "",
            "zone": zone_name(zone, datetime.now(UTC)),
        }
        return self.page(request, "admin/inference/log.html", "Log", shown)


def filter_of(request: HttpRequest) -> LogFilter:
    """The filter in the address; a level that does not exist is none."""
    given = {name: request.GET.get(name, "").strip()[:_LONGEST] for name in LogFilter.__struct_fields__}
    if given["level"] not in LEVELS:
        given["level"] = ""
    return LogFilter(**given)


def _rows(entries: Iterable[LogEntry], zone: tzinfo) -> list[LineRow]:
    return [LineRow(time=local_time(entry.at, zone), entry=entry) for entry in entries]

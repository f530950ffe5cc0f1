"""The admin's page of the log: the latest lines of the site and its workers, filtered."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from msgspec import Struct

from inference.admin.page_admin import PageAdmin
from inference.admin.times import local_time
from inference.core.log_ring import RING, LogEntry, LogFilter
from inference.models import LogLine

LEVELS = {"": "All", "INFO": "Info and above", "WARNING": "Warnings and above", "ERROR": "Errors"}
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
        wanted = filter_of(request)
        found = list(islice(RING.entries(wanted), _MOST + 1))
        oldest = min((entry.at for entry in RING.entries()), default=None)
        shown = {
            "wanted": wanted,
            "levels": LEVELS,
            "rows": _rows(found[:_MOST]),
            "most": _MOST if len(found) > _MOST else None,
            "oldest": local_time(oldest, has_seconds=True) if oldest else "",
        }
        return self.page(request, "admin/inference/log.html", "Log", shown)


def filter_of(request: HttpRequest) -> LogFilter:
    """The filter in the address; a level that does not exist is none."""
    given = {name: request.GET.get(name, "").strip()[:_LONGEST] for name in LogFilter.__struct_fields__}
    if given["level"] not in LEVELS:
        given["level"] = ""
    return LogFilter(**given)


def _rows(entries: Iterable[LogEntry]) -> list[LineRow]:
    return [LineRow(time=local_time(entry.at, has_seconds=True), entry=entry) for entry in entries]

"""What the page of usage shows: the report as texts, links and a picture."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from msgspec import Struct

from inference.admin.usage.row_links import Link, links_of
from inference.admin.usage.stacked_bars import rectangles
from inference.admin.usage.visitor_zone import zone_name
from inference.admin.wording import short
from inference.serving.usage.report import BYS, By, UsageFigures, UsageReport, report
from inference.serving.usage.span import RANGES, Range

MEASURES = {
    "requests": "Requests",
    "prompt_tokens": "Prompt tokens",
    "cached_tokens": "Cached tokens",
    "completion_tokens": "Answer tokens",
    "errors": "Errors",
}
_RANGES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_BYS = {"model": "Model", "key": "Key", "user": "User"}


class UsageQuery(Struct, frozen=True, kw_only=True):
    """What the page is asked for; unknown values are the defaults."""

    range: Range = "7d"
    by: By = "model"
    show: str = "requests"

    @classmethod
    def of(cls, query: QueryDict) -> "UsageQuery":
        known: Mapping[str, Any] = {"range": RANGES, "by": BYS, "show": MEASURES}
        given = {name: query.get(name, "") for name in known}
        return cls(**{name: cast(Any, value) for name, value in given.items() if value in known[name]})

    def address(self, **changes: str) -> str:
        return "?" + urlencode({"range": self.range, "by": self.by, "show": self.show} | changes)


class Option(Struct, frozen=True, kw_only=True):
    text: str
    address: str
    is_chosen: bool


class TableRow(Struct, frozen=True, kw_only=True):
    """A row of the table: its name with links, and each figure as a text with its title."""

    name: str
    cells: tuple[tuple[str, str], ...]
    links: tuple[Link, ...] = ()
    series: int | None = None  # the number of its colour


def context(request: HttpRequest, zone: tzinfo) -> dict[str, Any]:
    """The values of the page's template."""
    choice = UsageQuery.of(request.GET)
    now = datetime.now(UTC)
    found = report(choice.range, choice.by, zone, now)
    labels = [period.start.strftime(_form(choice.range)) for period in found.periods]
    totals = [sum(values) for values in zip(*_values(found, choice.show), strict=True)]
    return {
        "groups": _options(choice),
        "measure": MEASURES[choice.show],
        "measures": list(MEASURES.values()),
        "by": _BYS[choice.by],
        "rows": _rows(request, found),
        "more_rows": found.more_rows,
        "total": TableRow(name="All", cells=_cells(found.total)),
        "periods": _periods(found),
        "bars": list(rectangles(_values(found, choice.show))),
        "most": f"{max(totals, default=0):,}",
        "first": labels[0],
        "last": labels[-1],
        "chart": _chart(found, choice, labels),
        "zone": zone_name(zone, now),
        "csv": reverse("admin:inference_usagehour_csv") + choice.address(),
    }


def _options(choice: UsageQuery) -> dict[str, list[Option]]:
    """The groups of links above the chart."""
    groups = {"Range": ("range", _RANGES), "By": ("by", _BYS), "Show": ("show", MEASURES)}
    return {
        title: [
            Option(
                text=text,
                address=choice.address(**{name: value}),
                is_chosen=getattr(choice, name) == value,
            )
            for value, text in values.items()
        ]
        for title, (name, values) in groups.items()
    }


def _rows(request: HttpRequest, found: UsageReport) -> list[TableRow]:
    links = links_of(request, found.by, [row.id for row in found.rows])
    shown = [series.name for series in found.series]
    return [
        TableRow(
            name=short(row.name),
            cells=_cells(row.figures),
            links=links.get(row.id, ()),
            series=number if number < len(shown) and shown[number] == row.name else None,
        )
        for number, row in enumerate(found.rows)
    ]


def _cells(figures: UsageFigures) -> tuple[tuple[str, str], ...]:
    return tuple((title, f"{getattr(figures, name):,}") for name, title in MEASURES.items())


def _periods(found: UsageReport) -> list[TableRow]:
    """The hours or days in which anything was used, newest first."""
    sums = [
        sum((series.values[number] for series in found.series), UsageFigures())
        for number in range(len(found.periods))
    ]
    return [
        TableRow(name=period.start.strftime(_form(found.range, has_offset=True)), cells=_cells(figures))
        for period, figures in reversed(list(zip(found.periods, sums, strict=True)))
        if figures.requests
    ]


def _form(chosen: Range, *, has_offset: bool = False) -> str:
    """How a period is written; the offset tells apart the two hours that clocks show when set back."""
    if chosen not in ("24h", "7d"):
        return "%a %d %b"
    return "%a %d %b, %H:%M %Z" if has_offset else "%a %d %b, %H:%M"


def _values(found: UsageReport, show: str) -> list[list[int]]:
    return [[getattr(value, show) for value in series.values] for series in found.series]


def _chart(found: UsageReport, choice: UsageQuery, labels: list[str]) -> dict[str, Any]:
    """What the chart's script draws."""
    return {
        "labels": labels,
        "names": [short(series.name) for series in found.series],
        "values": _values(found, choice.show),
    }

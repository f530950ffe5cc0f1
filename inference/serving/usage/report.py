"""A report of usage: totals by model, key or account, and the largest of them over time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, get_args

from django.db.models import Case, IntegerField, Q, QuerySet, Sum, Value, When
from msgspec import Struct

from inference.models.usage_hour import FIGURES, UsageHour
from inference.serving.usage.names import names_of
from inference.serving.usage.span import Period, Range, Span, span_of

By = Literal["model", "key", "user"]
BYS: tuple[By, ...] = get_args(By)
MOST_SERIES = 6  # the number of colours that can be distinguished
MOST_ROWS = 500
OTHERS = "Others"
_FIELDS: dict[By, tuple[str, ...]] = {
    "model": ("model",),
    "key": ("caller_kind", "key_prefix"),
    "user": ("account",),
}
_SUMS: dict[str, Any] = {f"sum_of_{name}": Sum(name) for name in FIGURES}


class UsageFigures(Struct, frozen=True, kw_only=True):
    """What was used; cached tokens are a part of the prompts' tokens."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "UsageFigures") -> "UsageFigures":
        return UsageFigures(**{name: getattr(self, name) + getattr(other, name) for name in FIGURES})


class UsageRow(Struct, frozen=True, kw_only=True):
    """One model, key or account: its name, what identifies it, and its total."""

    name: str
    id: str  # the model's or the account's name, or the beginning of the key; empty where it has none
    figures: UsageFigures


class Series(Struct, frozen=True, kw_only=True):
    """One name over time: a value for each period of the report."""

    name: str
    values: tuple[UsageFigures, ...]


class UsageReport(Struct, frozen=True, kw_only=True):
    range: Range
    by: By
    periods: tuple[Period, ...]
    total: UsageFigures
    rows: tuple[UsageRow, ...]  # the most tokens first; at most MOST_ROWS
    more_rows: int  # of names that `rows` leaves out
    series: tuple[Series, ...]  # the first rows, and the others together


class PeriodRow(Struct, frozen=True, kw_only=True):
    """The usage of one name in one period."""

    start: datetime
    name: str
    figures: UsageFigures


def report(chosen: Range, by: By, zone: tzinfo = UTC, now: datetime | None = None) -> UsageReport:
    """The usage of a range; two queries, both of them bounded by the index on the hour."""
    span = span_of(chosen, zone, now)
    groups = _totals(span, by)
    names = names_of(by, [group for group, _ in groups])
    rows = [UsageRow(name=names[group], id=group[-1], figures=figures) for group, figures in groups]
    return UsageReport(
        range=chosen,
        by=by,
        periods=span.periods,
        total=sum((row.figures for row in rows), UsageFigures()),
        rows=tuple(rows[:MOST_ROWS]),
        more_rows=max(0, len(rows) - MOST_ROWS),
        series=_series(span, by, [group for group, _ in groups], [row.name for row in rows]),
    )


def by_period(chosen: Range, by: By, zone: tzinfo = UTC, now: datetime | None = None) -> Iterator[PeriodRow]:
    """Every name in every period in which it was used, oldest first."""
    span = span_of(chosen, zone, now)
    sums: dict[tuple[str, tuple[str, ...]], UsageFigures] = defaultdict(UsageFigures)
    fields = _FIELDS[by]
    found = _hours(span).values_list("hour", *fields).annotate(**_SUMS).order_by("hour", *fields)
    for hour, *rest in found.iterator():
        group = tuple(rest[: len(fields)])
        sums[span.key(hour), group] += _figures(rest[len(fields) :])
    names = names_of(by, {group for _, group in sums})
    starts = {period.key: period.start for period in span.periods}
    for (key, group), figures in sums.items():
        if key in starts:
            yield PeriodRow(start=starts[key], name=names[group], figures=figures)


def _hours(span: Span) -> "QuerySet[UsageHour]":
    return UsageHour.objects.filter(hour__gte=span.start)


def _totals(span: Span, by: By) -> list[tuple[tuple[str, ...], UsageFigures]]:
    """Each group with its total, the most tokens first."""
    fields = _FIELDS[by]
    found = _hours(span).values_list(*fields).annotate(**_SUMS).order_by()
    totals = [(tuple(row[: len(fields)]), _figures(row[len(fields) :])) for row in found]
    return sorted(totals, key=lambda total: (-total[1].tokens, -total[1].requests, total[0]))


def _series(
    span: Span, by: By, groups: Sequence[tuple[str, ...]], names: Sequence[str]
) -> tuple[Series, ...]:
    """The first groups, and all others as one; nothing where there is no group."""
    own = groups[:MOST_SERIES]
    sums: list[dict[str, UsageFigures]] = [defaultdict(UsageFigures) for _ in range(len(own) + 1)]
    for hour, number, *figures in (
        _hours(span)
        .annotate(number=_number(by, own))
        .values_list("hour", "number")
        .annotate(**_SUMS)
        .order_by()
    ):
        sums[number][span.key(hour)] += _figures(figures)
    titles = [*names[:MOST_SERIES], *([OTHERS] if len(groups) > len(own) else [])]
    return tuple(
        Series(name=title, values=tuple(values.get(period.key, UsageFigures()) for period in span.periods))
        for title, values in zip(titles, sums, strict=False)
    )


def _number(by: By, groups: Sequence[tuple[str, ...]]) -> Any:
    """The position of each row's group in `groups`, and the number of groups for those that are not in it."""
    fields = _FIELDS[by]
    whens = [
        When(Q(**dict(zip(fields, group, strict=True))), then=Value(number))
        for number, group in enumerate(groups)
    ]
    if not whens:
        return Value(0, output_field=IntegerField())
    return Case(*whens, default=Value(len(groups)), output_field=IntegerField())


def _figures(sums: Sequence[Any]) -> UsageFigures:
    return UsageFigures(**dict(zip(FIGURES, sums, strict=True)))

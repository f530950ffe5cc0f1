"""The report of a run as a table and as JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
from msgspec import Struct

from inference.management.bench.figures import Aim, Figure, Spread
from inference.management.bench.machine import BenchMachine

_COLUMNS = ("ROW", "WHAT", "OURS", "OTHER", "AGAINST", "RATIO", "AIM", "MET")


class BenchReport(Struct, frozen=True, kw_only=True):
    """The results of one run."""

    machine: BenchMachine
    model: str
    repeat: int
    is_quick: bool
    seconds: float
    figures: tuple[Figure, ...]
    conditions: tuple[str, ...] = ()  # in what the two sides are equal or not
    command: str = ""  # that repeats the run, without paths
    failures: tuple[str, ...] = ()  # rows that could not be measured, and why


def as_json(report: BenchReport) -> str:
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def lines(report: BenchReport) -> Iterator[str]:
    """The report for a terminal: medians, with minimum and maximum in brackets."""
    yield from report.machine.lines()
    length = "a quick run" if report.is_quick else f"medians of {report.repeat}"
    yield f"Model {report.model}; {length}; {report.seconds:.0f} s in all."
    yield ""
    yield from aligned([_COLUMNS, *map(_cells, report.figures)])
    notes = [*report.conditions, *row_notes(report.figures)]
    if notes:
        yield ""
        yield from notes
    yield from (f"NOT MEASURED: {failure}" for failure in report.failures)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.row,
        figure.what,
        cell(figure.ours, figure.unit),
        cell(figure.other, figure.unit),
        figure.against,
        cell(figure.ratio, ""),
        aim_text(figure.aim, figure.unit),
        {True: "yes", False: "NO", None: ""}[figure.is_met],
    )


def cell(spread: Spread | None, unit: str) -> str:
    if spread is None:
        return "-"
    median = f"{rounded(spread.median)} {unit}".rstrip()
    if spread.least == spread.most:
        return median
    return f"{median} ({rounded(spread.least)}-{rounded(spread.most)})"


def rounded(value: float) -> str:
    """Three significant digits, or the whole number."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def aim_text(aim: Aim | None, unit: str) -> str:
    if aim is None:
        return ""
    return f"{aim.sign} {aim.value:g} {unit if aim.of == 'ours' else ''}".rstrip()


def row_notes(figures: Sequence[Figure]) -> Iterator[str]:
    """Each row's notes once, in the order of the table."""
    for row, of_row in groupby(figures, key=lambda figure: figure.row):
        for note in dict.fromkeys(note for figure in of_row for note in figure.notes):
            yield f"{row}: {note}"

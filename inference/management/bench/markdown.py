"""The report of a run as one Markdown file that can be posted: it names no host, no user and no path."""

import getpass
import platform
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from inference.management.bench.figures import Figure
from inference.management.bench.table import BenchReport, aim_text, cell, row_notes

_PATH = re.compile(r"(?<![\w:/.])~?(?:/[^\s/:;,'\"()<>|]+)+/?")
_HEAD = ("What", "Ours", "Other", "Ratio", "Target", "Met")


def as_markdown(report: BenchReport) -> str:
    """Machine, versions, settings, conditions, the command, a table for each row, and notes."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: BenchReport) -> Iterator[str]:
    machine = report.machine
    yield f"# Benchmark of {_escaped(report.model)}"
    yield ""
    length = "Quick run, not a result" if report.is_quick else f"Medians of {report.repeat}, least to most"
    yield f"{length}; {report.seconds:.0f} s in all. Ratios compare values measured one after the other."
    yield ""
    yield from _table(("", ""), [(name, value) for name, value in machine.facts() if value])
    yield ""
    if report.conditions:
        yield "## Conditions"
        yield ""
        yield from (f"- {_escaped(line)}" for line in report.conditions)
        yield ""
    yield "## Figures"
    for row, figures in groupby(report.figures, key=lambda figure: figure.row):
        of_row = list(figures)
        yield ""
        yield f"### {row}"
        yield ""
        yield from _table(_HEAD, [_cells(figure) for figure in of_row])
    notes = [*row_notes(report.figures), *(f"Not measured: {failure}" for failure in report.failures)]
    if notes:
        yield ""
        yield "## Notes"
        yield ""
        yield from (f"- {_escaped(_without_names(note))}" for note in notes)
    yield ""
    yield "## To repeat it"
    yield ""
    yield "```console"
    yield f"$ {report.command}"
    yield "```"


def _cells(figure: Figure) -> tuple[str, ...]:
    other = cell(figure.other, figure.unit)
    return (
        figure.what,
        cell(figure.ours, figure.unit),
        f"{other} ({figure.against})" if figure.other and figure.against else other,
        cell(figure.ratio, ""),
        aim_text(figure.aim, figure.unit),
        {True: "yes", False: "**no**", None: ""}[figure.is_met],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(map(_escaped, row)) + " |" for row in rows)


def _escaped(text: str) -> str:
    """The text without what Markdown would read as a table, HTML or an emphasis across words."""
    marked = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return marked if "**" in text else marked.replace("*", "\\*")


def _without_names(text: str) -> str:
    """Paths become their last part; the names of the host and the user are left out."""
    text = _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], text)
    for name, shown in ((platform.node(), "HOST"), (_user(), "USER")):
        if len(name) > 1:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", shown, text)
    return text


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return ""

"""Usage as CSV, for spreadsheets."""

import csv
import io
from collections.abc import Iterable

from inference.serving.usage.report import By, PeriodRow

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = ("requests", "prompt_tokens", "cached_tokens", "answer_tokens", "errors")


def as_csv(rows: Iterable[PeriodRow], by: By) -> str:
    """One line for each name and period; `start` is a local time with its offset from UTC."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["start", by, *_COLUMNS])
    for row in rows:
        figures = row.figures
        writer.writerow(
            [
                *(row.start.isoformat(), cell(row.name), figures.requests, figures.prompt_tokens),
                *(figures.cached_tokens, figures.completion_tokens, figures.errors),
            ]
        )
    return file.getvalue()


def cell(text: str) -> str:
    """The text, marked as such where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text

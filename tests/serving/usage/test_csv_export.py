"""Usage as CSV."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from inference.serving.usage.csv_export import as_csv, cell
from inference.serving.usage.report import PeriodRow, UsageFigures
from tests.each import each

START = datetime(2026, 10, 25, 2, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_line_has_the_local_time_with_its_offset_the_name_and_the_figures() -> None:
    figures = UsageFigures(requests=2, errors=1, prompt_tokens=5, cached_tokens=3, completion_tokens=4)
    text = as_csv([PeriodRow(start=START, name='a "name", so', figures=figures)], "user")
    head, line = csv.reader(io.StringIO(text))
    assert head == ["start", "user", "requests", "prompt_tokens", "cached_tokens", "answer_tokens", "errors"]
    assert line == ["2026-10-25T02:00:00+01:00", 'a "name", so', "2", "5", "3", "4", "1"]


@each("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_name_is_a_formula(name: str) -> None:
    assert cell(name) == f"'{name}"
    assert cell("org/name") == "org/name"

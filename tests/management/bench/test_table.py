"""The report as people and programs read it."""

import json

from inference.management.bench.figures import Aim, figure
from inference.management.bench.machine import this_machine
from inference.management.bench.table import BenchReport, aligned, as_json, lines, rounded
from tests.each import each

FIGURE = figure(
    "streams",
    "8 streams, decode",
    "tok/s",
    [40.0, 44.0, 42.0],
    [20.0, 22.0, 21.0],
    against="mlx_lm.server",
    aim=Aim(sign=">=", value=3),
    notes=["mlx_lm.server: 3 of 16 requests failed (ConnectionResetError)"],
)
REPORT = BenchReport(
    machine=this_machine(),
    model="tiny",
    repeat=3,
    is_quick=False,
    seconds=12.0,
    figures=(FIGURE,),
    failures=("gap: ours ended",),
)


def test_a_line_shows_both_sides_the_ratio_and_the_missed_aim() -> None:
    (line,) = [line for line in lines(REPORT) if line.startswith("streams  ")]
    cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
    assert cells == [
        "streams",
        "8 streams, decode",
        "42.0 tok/s (40.0-44.0)",
        "21.0 tok/s (20.0-22.0)",
        "mlx_lm.server",
        "2.00",
        ">= 3",
        "NO",
    ]


def test_failed_requests_and_rows_are_reported() -> None:
    shown = "\n".join(lines(REPORT))
    assert "streams: mlx_lm.server: 3 of 16 requests failed" in shown
    assert "NOT MEASURED: gap: ours ended" in shown


def test_the_machine_is_described() -> None:
    shown = json.loads(as_json(REPORT))["machine"]
    assert shown["cores"] > 0
    assert {"mlx", "mlx-lm"} <= shown["packages"].keys()


def test_json_has_the_figures_as_numbers() -> None:
    (shown,) = json.loads(as_json(REPORT))["figures"]
    assert shown["ratio"] == {"median": 2.0, "least": 2.0, "most": 2.0}
    assert shown["is_met"] is False


@each(
    ("value", "shown"),
    [(0.0613, "0.0613"), (7.123, "7.12"), (42, "42.0"), (19143.4, "19143")],
)
def test_numbers_have_three_digits_that_matter(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert list(aligned([("a", "bb"), ("ccc", "d")])) == ["a    bb", "ccc  d"]

"""The rows of `manage.py bench` that take minutes, on a tiny model; for the nightly run."""

from pathlib import Path

import msgspec

from inference.management.bench.table import BenchReport
from tests.e2e.test_bench import bench
from tests.management.bench.dialect import KEY, MODEL, speaking
from tests.nightly import IS_NIGHTLY

__test__ = IS_NIGHTLY  # the gate has test_bench.py, and the tests of each row in tests/management/bench


def test_models_in_turns_are_loaded_once_where_there_is_room_for_one(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench(tmp_path, "--rows", "swap", "--json", str(file), timeout=180)
    assert done.returncode == 0, done.stderr
    (loads,) = [
        one
        for one in msgspec.json.decode(file.read_bytes(), type=BenchReport).figures
        if one.what.endswith(": loads")
    ]
    assert loads.ours and loads.other and loads.ours.most <= 4 < loads.other.least


def test_a_server_at_an_address_is_compared_with_and_a_report_is_written(tmp_path: Path) -> None:
    file, report_file = tmp_path / "figures.json", tmp_path / "report.md"
    with speaking() as (url, dialect):
        done = bench(
            tmp_path,
            *("--against", url, "--against-key", KEY, "--rows", "users,memory,steps"),
            *("--json", str(file), "--report", str(report_file)),
            timeout=180,
        )
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(file.read_bytes(), type=BenchReport)
    assert report.failures == ()
    assert {figure.row for figure in report.figures} == {"users", "memory", "steps"}
    (goodput,) = [figure for figure in report.figures if figure.what == "goodput"]
    assert goodput.ours and goodput.other and goodput.other.median > 0
    assert any("counted with our tokenizer" in note for note in goodput.notes)
    assert any("its memory cannot be read" in note for figure in report.figures for note in figure.notes)
    assert {body["model"] for body in dialect.bodies} == {MODEL}
    text = report_file.read_text()
    assert "### users" in text and "--against ADDRESS" in text
    assert KEY not in text and str(tmp_path) not in text

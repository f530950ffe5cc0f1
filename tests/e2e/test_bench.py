"""`manage.py bench` as a person runs it, on a tiny model."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from inference.management.bench.table import Report
from tests.e2e.site import ROOT
from tests.management.bench.dialect import KEY, MODEL, speaking
from tests.tiny import make_tiny_model, never_ends


def bench(folder: Path, *options: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
    """A quick run on a tiny model in `folder`."""
    model = never_ends(make_tiny_model(folder / "tiny"))
    return subprocess.run(
        [sys.executable, "manage.py", "bench", "--model", str(model), "--quick", *options],
        cwd=ROOT,
        env=os.environ | {"MLX_SERVER_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_a_quick_run_measures_its_rows_and_writes_them_down(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench(tmp_path, "--rows", "streams,sse", "--json", str(file))
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    assert report.failures == ()
    assert {figure.row for figure in report.figures} == {"streams", "sse"}
    assert all(figure.ours and figure.ours.median > 0 for figure in report.figures)
    assert [f.against for f in report.figures if f.row == "streams"] == ["BatchGenerator"] * 4
    assert report.figures[0].what in done.stdout


def test_models_in_turns_are_loaded_once_where_there_is_room_for_one(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench(tmp_path, "--rows", "swap", "--json", str(file), timeout=180)
    assert done.returncode == 0, done.stderr
    (loads,) = [
        one
        for one in msgspec.json.decode(file.read_bytes(), type=Report).figures
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
    report = msgspec.json.decode(file.read_bytes(), type=Report)
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


def test_an_address_that_refuses_is_reported_and_the_command_fails(tmp_path: Path) -> None:
    report = tmp_path / "r.md"
    done = bench(tmp_path, "--against", "http://127.0.0.1:1/v1", "--rows", "seeded", "--report", str(report))
    assert done.returncode == 1
    assert "NOT MEASURED: seeded: other server lists no models" in done.stdout
    assert "Not measured: seeded" in report.read_text()

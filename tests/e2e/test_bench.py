"""`manage.py bench` as a person runs it, on a tiny model."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from inference.management.bench.table import BenchReport
from tests.e2e.site import ROOT
from tests.nightly import nightly
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


@nightly  # the gate has tests/management/bench
def test_a_quick_run_measures_its_rows_and_writes_them_down(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    done = bench(tmp_path, "--rows", "streams,sse", "--json", str(file))
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(file.read_bytes(), type=BenchReport)
    assert report.failures == ()
    assert {figure.row for figure in report.figures} == {"streams", "sse"}
    assert all(figure.ours and figure.ours.median > 0 for figure in report.figures)
    assert [f.against for f in report.figures if f.row == "streams"] == ["BatchGenerator"] * 4
    assert report.figures[0].what in done.stdout


@nightly
def test_an_address_that_refuses_is_reported_and_the_command_fails(tmp_path: Path) -> None:
    report = tmp_path / "r.md"
    done = bench(tmp_path, "--against", "http://127.0.0.1:1/v1", "--rows", "seeded", "--report", str(report))
    assert done.returncode == 1
    assert "NOT MEASURED: seeded: other server lists no models" in done.stdout
    assert "Not measured: seeded" in report.read_text()

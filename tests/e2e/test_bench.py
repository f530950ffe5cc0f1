"""`manage.py bench` as a person runs it, on a tiny model."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from inference.management.bench.table import Report
from tests.e2e.site import ROOT
from tests.tiny import make_tiny_model, never_ends


def test_a_quick_run_measures_its_rows_and_writes_them_down(tmp_path: Path) -> None:
    model = never_ends(make_tiny_model(tmp_path / "tiny"))
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", "--model", str(model)]
        + ["--quick", "--rows", "streams,sse", "--json", str(file)],
        cwd=ROOT,
        env=os.environ | {"MLX_SERVER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    assert report.failures == ()
    assert {figure.row for figure in report.figures} == {"streams", "sse"}
    assert all(figure.ours and figure.ours.median > 0 for figure in report.figures)
    assert [f.against for f in report.figures if f.row == "streams"] == ["BatchGenerator"] * 4
    assert report.figures[0].what in done.stdout


def test_models_in_turns_are_loaded_once_where_there_is_room_for_one(tmp_path: Path) -> None:
    model = never_ends(make_tiny_model(tmp_path / "tiny"))
    file = tmp_path / "figures.json"
    subprocess.run(
        [sys.executable, "manage.py", "bench", "--model", str(model)]
        + ["--quick", "--rows", "swap", "--json", str(file)],
        cwd=ROOT,
        env=os.environ | {"MLX_SERVER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        timeout=180,
        check=True,
    )
    (loads,) = [
        one
        for one in msgspec.json.decode(file.read_bytes(), type=Report).figures
        if one.what.endswith(": loads")
    ]
    assert loads.ours and loads.other and loads.ours.most <= 4 < loads.other.least

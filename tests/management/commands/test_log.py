"""`manage.py log`."""

import json
import logging
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from inference.core.config import Config
from inference.core.log_ring import FOLDER
from tests.core.test_log_ring import log, ring


def shown(*args: str) -> tuple[str, str]:
    out, error = StringIO(), StringIO()
    call_command("log", *args, stdout=out, stderr=error)
    return out.getvalue(), error.getvalue()


def test_it_prints_the_lines_that_fit_the_newest_last(tmp_path: Path, settings: Any) -> None:
    settings.CONFIG = Config(data_dir=tmp_path)
    assert "No log lines" in shown()[1]
    kept = ring()
    kept.keep_in(tmp_path / FOLDER)
    log(kept, "loaded it", request_id="req_1")
    log(kept, "memory is short \x1b[2J", logging.WARNING, worker="worker[7]")
    kept.stop_keeping()
    first, second = shown()[0].splitlines()
    assert first.endswith("INFO inference.pool: loaded it [req_1]")
    assert "WARNING worker[7] inference.pool: memory is short" in second and "\x1b" not in second
    assert shown("--lines", "1")[0].count("\n") == shown("--request", "req_1")[0].count("\n") == 1
    assert json.loads(shown("--level", "WARNING", "--json")[0])["process"] == "worker[7]"

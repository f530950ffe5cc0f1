"""`manage.py bench`: measure this server, and another one beside it."""

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.core.blas import blas_of_others
from inference.core.calibration import Calibrator
from inference.core.installation import PROGRAM
from inference.core.mlx_device import is_cpu
from inference.management.bench import ROWS
from inference.management.bench.address import UnknownAddress
from inference.management.bench.bench import Bench, report_progress
from inference.management.bench.figures import Figure
from inference.management.bench.line_process import RawEnded
from inference.management.bench.machine import this_machine
from inference.management.bench.markdown import as_markdown
from inference.management.bench.peers import COMMANDS, UnknownPeer, check, conditions, is_address
from inference.management.bench.servers import ServerEnded
from inference.management.bench.table import BenchReport, as_json, lines
from inference.management.bench.timed_answer import IncompleteAnswer

_REPEAT = 3
# Errors of a server that end one row; the other rows are still measured.
_ROW_ERRORS = (
    ServerEnded,
    RawEnded,
    IncompleteAnswer,
    OSError,
    EOFError,
    ValueError,
    subprocess.SubprocessError,
)


class Command(BaseCommand):
    help = "Measure this server on a model, and another one beside it; docs/performance.md explains the rows."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--model", type=Path, required=True, help="the model's folder")
        parser.add_argument("--second", type=Path, help="another model's folder; the same model by default")
        parser.add_argument("--quantised", type=Path, help="a 4-bit model; made from --model by default")
        parser.add_argument(
            "--against",
            default="",
            help="the server to compare with: an address such as http://127.0.0.1:8080/v1, or one that is "
            f"started: {', '.join(COMMANDS)}",
        )
        parser.add_argument("--against-model", default="", help="its model; otherwise the first it lists")
        parser.add_argument("--against-key", default="", help="its API key, if it needs one")
        parser.add_argument("--rows", default=",".join(ROWS), help="which rows, separated by commas")
        parser.add_argument("--repeat", type=int, default=_REPEAT, help="how often each row is measured")
        parser.add_argument(
            "--quick", action="store_true", help="fewer and shorter measurements: a check, not a result"
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE.md", help="write a report in Markdown that can be posted"
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to this file too")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = selected_rows(options["rows"])
        for folder in (options[name] for name in ("model", "second", "quantised") if options[name]):
            if not (folder / "config.json").is_file():
                raise CommandError(f"{folder} is not a model folder: it has no config.json.")
        if options["repeat"] < 1:
            raise CommandError("--repeat must be 1 or more.")
        try:
            check(options["against"], options["against_model"])
        except (UnknownPeer, UnknownAddress) as error:
            raise CommandError(str(error)) from None
        report = self._run(rows, options)
        if options["json"]:
            options["json"].write_text(as_json(report) + "\n")
        if options["report"]:
            options["report"].write_text(as_markdown(report))
        for line in lines(report):
            self.stdout.write(line)
        if report.failures:
            sys.exit(1)

    def _run(self, rows: Sequence[str], options: dict[str, Any]) -> BenchReport:
        machine, started = this_machine(), time.perf_counter()
        repeat = 1 if options["quick"] else options["repeat"]
        figures: list[Figure] = []
        failures: list[str] = []
        with _interrupt_on_sigterm(), tempfile.TemporaryDirectory(prefix="mlxsite-bench-") as scratch:
            # Measured once here, so that the servers that are started do not have to.
            is_on = settings.CONFIG.cpu_calibration == "auto" and is_cpu()
            Calibrator(Path(scratch), settings.CONFIG.blas, is_on=is_on).calibration()
            bench = Bench(
                scratch=Path(scratch),
                model=options["model"].resolve(),
                second=options["second"],
                quantised=options["quantised"],
                against=options["against"],
                against_model=options["against_model"],
                against_key=options["against_key"],
                repeat=repeat,
                is_quick=options["quick"],
                blas=blas_of_others(settings.CONFIG.blas),
            )
            with closing(bench):
                for row in rows:
                    try:
                        figures.extend(ROWS[row](bench))  # also those before an error or an interruption
                    except KeyboardInterrupt:
                        failures.append(f"{row} and what follows: interrupted")
                        break
                    except _ROW_ERRORS as error:
                        failures.append(f"{row}: {error}")
                        report_progress(failures[-1])
                        bench.close()  # its servers may be in a bad state
        return BenchReport(
            machine=machine,
            model=options["model"].name,
            repeat=repeat,
            is_quick=options["quick"],
            seconds=round(time.perf_counter() - started, 1),
            figures=tuple(figures),
            conditions=conditions(
                options["against"], options["against_model"], blas_of_others(settings.CONFIG.blas)
            ),
            command=repeating(options),
            failures=tuple(failures),
        )


def repeating(options: Mapping[str, Any]) -> str:
    """The command that repeats a run, with the names of files and without their folders or any key."""
    parts = [f"{PROGRAM} bench"]
    for name in ("model", "second", "quantised"):
        if options[name]:
            parts.append(f"--{name} {shlex.quote(options[name].name)}")
    if options["against"]:
        parts.append(f"--against {'ADDRESS' if is_address(options['against']) else options['against']}")
    if options["against_model"]:
        parts.append(f"--against-model {shlex.quote(Path(options['against_model']).name)}")
    if options["rows"] != ",".join(ROWS):
        parts.append(f"--rows {shlex.quote(options['rows'])}")
    if options["repeat"] != _REPEAT:
        parts.append(f"--repeat {options['repeat']}")
    return " ".join([*parts, *["--quick"] * options["quick"]])


def selected_rows(rows: str) -> list[str]:
    """The named rows in the order they are measured; raises CommandError for an unknown row."""
    named = {name.strip() for name in rows.split(",") if name.strip()}
    if unknown := sorted(named - ROWS.keys()):
        raise CommandError(f"There is no row {unknown[0]!r}; the rows are {', '.join(ROWS)}.")
    return [name for name in ROWS if name in named]


@contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C: the servers end, and what was measured is reported."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

"""`manage.py doctor`: whether this machine and these settings serve models well, and what to do if not."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.db import connection

from inference.management.client import Client, SiteError
from inference.management.doctor.trial import SECONDS, device, trial
from inference.management.doctor.vision_trial import vision_trial
from inference.serving import runtime, site_lock
from inference.serving.health.finding import CheckResult, as_data
from inference.serving.health.report import OF_MACHINE, STORED, run

_RESTART = "Check its log, and restart it."
_MARKS = {"good": "ok   ", "look": "look ", "wrong": "WRONG"}


class Command(BaseCommand):
    help = "Check the machine and the settings, and run the smallest model."
    requires_system_checks: list[str] = []  # they are among the results

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--no-model", action="store_true", help="do not load a model")
        parser.add_argument(
            "--vision",
            nargs="?",
            const="",
            metavar="MODEL",
            help=(
                "ask MODEL, or the smallest vision model, about six generated pictures instead of measuring "
                "speed"
            ),
        )
        parser.add_argument(
            "--seconds", type=_seconds, default=SECONDS, help="how long the model generates; 20 by default"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        results = []
        with runtime.by_itself():
            for result in _results(_trial(options)):
                results.append(result)
                self._write(result, options)
        if options["json"]:
            self.stdout.write(json.dumps(as_data(results), indent=1))
        if any(result.state == "wrong" for result in results):
            sys.exit(1)

    def _write(self, result: CheckResult, options: dict[str, Any]) -> None:
        if options["json"]:
            return
        self.stdout.write(f"{_MARKS[result.state]} {result.about}: {result.text}")
        if result.advice:
            self.stdout.write(f"      {result.advice}")


def _trial(options: dict[str, Any]) -> Callable[[], list[CheckResult]]:
    """What is tried after the checks."""
    if options["no_model"]:
        return lambda: [device()]
    if options["vision"] is not None:
        return lambda: vision_trial(options["vision"])
    return lambda: trial(options["seconds"])


def _results(last: Callable[[], list[CheckResult]]) -> Iterator[CheckResult]:
    of_machine = []
    for result in run(OF_MACHINE):
        of_machine.append(result.about)
        yield result
    yield from (result for result in _of_site() if result.about not in of_machine)
    yield from last()


def _of_site() -> Iterable[CheckResult]:
    """What a running site says of itself, or else what its database has; a new folder has neither."""
    site = site_lock.running_site(settings.CONFIG.data_dir)
    if site and site.port:
        try:
            return Client(site.host, site.port, ours=site).health().results
        except SiteError as error:
            return [CheckResult(about="site", text=str(error), state="wrong", advice=_RESTART)]
    has_database = connection.vendor != "sqlite" or Path(connection.settings_dict["NAME"]).is_file()
    return run(STORED) if has_database else ()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("give seconds above 0 and at most 3600")
    return seconds

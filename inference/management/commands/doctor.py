"""`manage.py doctor`: whether this machine and these settings serve models well, and what to do if not."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management import BaseCommand

from inference.management.doctor.finding import CheckResult, whole
from inference.management.doctor.machine import machine
from inference.management.doctor.trial import SECONDS, device, trial
from inference.serving import runtime

_MARKS = {"good": "ok   ", "look": "look ", "wrong": "WRONG"}


class Command(BaseCommand):
    help = "Look at the machine and the settings, and let the smallest model answer."
    requires_system_checks: list[str] = []  # doctor tells them itself

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--no-model", action="store_true", help="do not load a model")
        parser.add_argument(
            "--seconds", type=_seconds, default=SECONDS, help="how long the model answers; 20 if not given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        looked = []
        with runtime.by_itself():
            for one in _look(None if options["no_model"] else options["seconds"]):
                looked.append(one)
                self._tell(one, options)
        if options["json"]:
            self.stdout.write(json.dumps(whole(looked), indent=1))
        if any(one.state == "wrong" for one in looked):
            sys.exit(1)

    def _tell(self, one: CheckResult, options: dict[str, Any]) -> None:
        if options["json"]:
            return
        self.stdout.write(f"{_MARKS[one.state]} {one.about}: {one.text}")
        if one.advice:
            self.stdout.write(f"      {one.advice}")


def _look(seconds: float | None) -> Iterator[CheckResult]:
    yield from machine()
    yield from [device()] if seconds is None else trial(seconds)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("give seconds above 0 and at most 3600")
    return seconds

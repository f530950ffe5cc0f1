"""`manage.py doctor`: whether this machine and these settings serve models well, and what to do if not."""

import argparse
import json
import sys
from typing import Any

from django.core.management import BaseCommand

from inference import doctor

_MARKS = {"good": "ok   ", "look": "look ", "wrong": "WRONG"}


class Command(BaseCommand):
    help = "Look at the machine and the settings, and let the smallest model answer."
    requires_system_checks: list[str] = []  # doctor tells them itself

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--no-model", action="store_true", help="do not load a model")

    def handle(self, *args: Any, **options: Any) -> None:
        looked = []
        for one in doctor.machine():
            looked.append(one)
            self._tell(one, options)
        if not options["no_model"]:
            looked.append(doctor.model())
            self._tell(looked[-1], options)
        if options["json"]:
            self.stdout.write(json.dumps(doctor.whole(looked), indent=1))
        if any(one.state == "wrong" for one in looked):
            sys.exit(1)

    def _tell(self, one: doctor.Looked, options: dict[str, Any]) -> None:
        if options["json"]:
            return
        self.stdout.write(f"{_MARKS[one.state]} {one.about}: {one.text}")
        if one.advice:
            self.stdout.write(f"      {one.advice}")

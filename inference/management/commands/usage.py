"""`manage.py usage`: what was used, by model, key or account."""

import argparse
import json
from datetime import tzinfo
from typing import Any

import msgspec
from django.core.management import BaseCommand

from inference.management import database
from inference.management.table import table
from inference.serving.usage.csv_export import as_csv
from inference.serving.usage.report import BYS, UsageFigures, by_period, report
from inference.serving.usage.span import RANGES, system_zone, zone_named

_COLUMNS = ("REQUESTS", "PROMPT TOKENS", "CACHED TOKENS", "ANSWER TOKENS", "ERRORS")


class Command(BaseCommand):
    help = "Show the usage of the last hours or days."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--range", choices=RANGES, default="7d", help="how far back; 7d by default")
        parser.add_argument("--by", choices=BYS, default="model", help="what to add up; model by default")
        parser.add_argument(
            "--zone", type=_zone, help="the time zone of hours and days; this machine's by default"
        )
        forms = parser.add_mutually_exclusive_group()
        forms.add_argument("--csv", action="store_true", help="print each hour or day as CSV")
        forms.add_argument("--json", action="store_true", help="print JSON, as GET /api/usage has it")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen, by, zone = options["range"], options["by"], options["zone"] or system_zone()
        with database.in_use():
            if options["csv"]:
                self.stdout.write(as_csv(by_period(chosen, by, zone), by), ending="")
                return
            found = report(chosen, by, zone)
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(found), indent=1))
            return
        if not found.rows:
            self.stdout.write("No requests in this period.")
            return
        rows = [(row.name, *_cells(row.figures)) for row in found.rows]
        for line in table([(by.upper(), *_COLUMNS), *rows, ("all", *_cells(found.total))]):
            self.stdout.write(line)
        if found.more_rows:
            self.stdout.write(f"and {found.more_rows} more; --csv prints all of them")


def _cells(figures: UsageFigures) -> tuple[str, ...]:
    numbers = (
        *(figures.requests, figures.prompt_tokens, figures.cached_tokens),
        *(figures.completion_tokens, figures.errors),
    )
    return tuple(f"{number:,}" for number in numbers)


def _zone(text: str) -> tzinfo:
    if zone := zone_named(text):
        return zone
    raise argparse.ArgumentTypeError("give the name of a time zone, such as Europe/Berlin or UTC")

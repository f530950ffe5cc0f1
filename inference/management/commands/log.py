"""`manage.py log`: the latest lines of the site's log, also of a site that does not run any more."""

import argparse
from itertools import islice
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import BaseCommand

from inference.core.log_ring import FOLDER, LogEntry, LogFilter, entries_in
from inference.management.table import printable

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_USUAL = 100


class Command(BaseCommand):
    help = "Show the latest lines of the site's log, the newest last."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--level", choices=_LEVELS, default="", help="this level and above")
        parser.add_argument("--text", default="", help="text anywhere in the message or the traceback")
        parser.add_argument("--request", default="", help="the id of a request")
        parser.add_argument("--logger", default="", help="a prefix of the logger's name")
        parser.add_argument("--lines", type=int, default=_USUAL, help=f"how many lines; {_USUAL} by default")
        parser.add_argument("--json", action="store_true", help="print JSON, one object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = LogFilter(**{name: options[name] for name in LogFilter.__struct_fields__})
        folder = settings.CONFIG.data_dir / FOLDER
        found = list(islice(entries_in(folder, wanted), max(0, options["lines"])))
        if not found:
            self.stderr.write(f"No log lines in {folder} match.")
        for entry in reversed(found):
            self.stdout.write(msgspec.json.encode(entry).decode() if options["json"] else _text(entry))


def _text(entry: LogEntry) -> str:
    process = f"{entry.process} " if entry.process else ""
    request = f" [{entry.request_id}]" if entry.request_id else ""
    line = f"{entry.time} {entry.level} {process}{entry.logger}: {entry.message}{request}"
    traceback = [f"    {line}" for line in entry.exception.splitlines()]
    return "\n".join(map(printable, (line, *traceback)))

"""`manage.py requests`: the newest requests that are over, or the phases of one."""

import argparse
from collections.abc import Iterator
from typing import Any

import msgspec
from django.core.management import BaseCommand, CommandError

from inference.management import database
from inference.management.table import table
from inference.serving.recording import request_report
from inference.serving.recording.request_report import RequestReport

_COLUMNS = ("TIME (UTC)", "CALLER", "MODEL", "ENDED", "IN", "OUT", "DURATION", "ID")
_USUAL = 20


class Command(BaseCommand):
    help = "Show the newest requests that are over, or one with its phases."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("id", nargs="?", default="", help="the X-Request-Id of a response")
        parser.add_argument("--limit", type=int, default=_USUAL, help=f"how many; {_USUAL} by default")
        parser.add_argument("--json", action="store_true", help="print JSON, as GET /api/requests has it")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            found = self._found(options["id"], max(0, options["limit"]))
        if options["json"]:
            data = found[0] if options["id"] else {"requests": found}
            self.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=1).decode())
        elif not found:
            self.stdout.write("There are no records of requests.")
        elif options["id"]:
            self.stdout.writelines(f"{line}\n" for line in table([*_phases(found[0])]))
        else:
            rows = [_COLUMNS, *map(_cells, found)]
            self.stdout.writelines(f"{line}\n" for line in table(rows))

    def _found(self, request_id: str, limit: int) -> list[RequestReport]:
        if not request_id:
            return request_report.newest(limit)
        one = request_report.of(request_id)
        if one is None:
            raise CommandError(f"There is no record of a request with the id {request_id}.")
        return [one]


def _cells(one: RequestReport) -> tuple[str, ...]:
    ended = one.error or ("left" if one.has_left else one.finish)
    return (
        *(f"{one.at:%Y-%m-%d %H:%M:%S}", one.caller, one.model, ended),
        *(f"{one.prompt_tokens:,}", f"{one.completion_tokens:,}", _seconds(one.total_ms), one.id),
    )


def _phases(one: RequestReport) -> Iterator[tuple[str, str, str]]:
    yield one.model, _cells(one)[0], f"of {one.caller}: {_cells(one)[3]}"
    for phase in one.phases:
        if phase.ms or phase.name != "paused":
            yield phase.name, _seconds(phase.ms), phase.note
    yield "all", _seconds(one.total_ms), ""


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s"

"""`manage.py stop [ID]`: stop a request in progress; without an id, list them."""

import argparse
import time
from typing import Any

from inference.management.client import ClientCommand
from inference.management.table import printable, table
from inference.serving.active_requests import StreamView

_COLUMNS = ("ID", "MODEL", "CALLER", "PHASE", "IN", "OUT", "SECONDS")


class Command(ClientCommand):
    help = "Stop a request in progress of the running site; without an id, list them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("id", nargs="?", help="as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        client = self.client(options)
        if options["id"]:
            client.stop_request(options["id"])
            self.stdout.write("The request is being stopped; its client receives an error.")
            return
        found = client.active_requests()
        if not found:
            self.stdout.write("No requests are in progress.")
            return
        for line in table([_COLUMNS, *map(_row, found)]):
            self.stdout.write(printable(line))


def _row(one: StreamView) -> tuple[str, ...]:
    return (
        *(one.id, one.model, f"{one.principal_kind} {one.principal}".strip(), one.phase),
        *(f"{one.prompt_tokens:,}", f"{one.tokens:,}", f"{max(0.0, time.time() - one.began_at):.0f}"),
    )

"""`manage.py capture`: prompts and answers of the running site that are stored for a time."""

import argparse
from typing import Any

from inference.management.client import ClientCommand
from inference.management.table import printable, table
from inference.serving.captures import ListedCapture

_COLUMNS = ("ID", "STATE", "STARTED (UTC)", "ENDS (UTC)", "BY", "STORED", "REASON")


class Command(ClientCommand):
    help = "List, start and stop captures of prompts and answers, and delete what they stored."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        actions = parser.add_subparsers(
            dest="action",
            required=True,
            metavar="list|start|stop|delete-text",
            parser_class=argparse.ArgumentParser,
        )
        actions.add_parser("list", help="show every capture")
        start = actions.add_parser("start", help="store the prompts and answers from now on")
        start.add_argument("reason", help="shown to all users of the admin")
        start.add_argument("--hours", type=float, default=1.0, help="how long, at most 168; 1 by default")
        for action, text in (("stop", "end a capture"), ("delete-text", "delete what a capture stored")):
            actions.add_parser(action, help=text).add_argument("id", type=int, help="as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        client = self.client(options)
        if options["action"] == "list":
            self._list(client.captures())
        elif options["action"] == "start":
            made = client.change_capture("", reason=options["reason"], hours=options["hours"])
            self.stdout.write(f"Capture {made.id} is active until {made.until:%Y-%m-%d %H:%M} UTC.")
        elif options["action"] == "stop":
            made = client.change_capture("/stop", id=options["id"])
            self.stdout.write(f"Capture {made.id} has ended; {made.requests:,} requests have stored text.")
        else:
            made = client.change_capture("/delete-text", id=options["id"])
            self.stdout.write(f"The prompts and answers of capture {made.id} are deleted.")

    def _list(self, found: tuple[ListedCapture, ...]) -> None:
        if not found:
            self.stdout.write("There are no captures.")
            return
        for line in table([_COLUMNS, *map(_row, found)]):
            self.stdout.write(printable(line))


def _row(one: ListedCapture) -> tuple[str, ...]:
    return (
        *(str(one.id), "active" if one.is_active else "ended", f"{one.began_at:%Y-%m-%d %H:%M}"),
        *(f"{one.until:%Y-%m-%d %H:%M}", one.began_by or "the operator", f"{one.requests:,}", one.reason),
    )

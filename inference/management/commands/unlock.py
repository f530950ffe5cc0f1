"""`manage.py unlock`: lift the wait after failed sign-ins."""

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.accounts import sign_in_throttle
from inference.management import database
from inference.management.table import table
from inference.models.sign_in import SignInAttempts

_COLUMNS = ("ACCOUNT", "ADDRESS", "FAILURES", "LAST (UTC)")


class Command(BaseCommand):
    help = "Lift the wait after failed sign-ins to an account or from an address; without one, list them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the user name of an account, or an address")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            self._lift(options["name"]) if options["name"] else self._list()

    def _lift(self, name: str) -> None:
        if not (failures := sign_in_throttle.lift(name)):
            raise CommandError(f"No sign-in to or from {name!r} has failed within the last hour.")
        self.stdout.write(f"Cleared {failures} failed sign-ins; the next attempt does not have to wait.")

    def _list(self) -> None:
        rows = list(SignInAttempts.objects.filter(failures__gt=0))
        if not rows:
            self.stdout.write("No sign-in has failed within the last hour.")
            return
        names = sign_in_throttle.names()
        for line in table([_COLUMNS, *(_row(row, names.get(row.account)) for row in rows)]):
            self.stdout.write(line)


def _row(row: SignInAttempts, name: str | None) -> tuple[str, ...]:
    return (
        name or "(no such account)",
        row.place,
        str(row.failures),
        f"{row.failed_at:%Y-%m-%d %H:%M}" if row.failed_at else "",
    )

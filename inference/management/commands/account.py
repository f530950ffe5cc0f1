"""`manage.py account`: list the accounts, and enable or disable one."""

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.accounts import account_list
from inference.accounts.roles import LABELS
from inference.core.errors import ServerError
from inference.management import database
from inference.management.table import table

_COLUMNS = ("NAME", "ROLE", "STATE", "LAST SIGN-IN (UTC)")


class Command(BaseCommand):
    help = "List the accounts, or enable or disable one; `role` sets what an account may do."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="the user name of the account")
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--disable", action="store_true", help="it cannot sign in; its keys are rejected")
        action.add_argument("--enable", action="store_true", help="undo that")

    def handle(self, *args: Any, **options: Any) -> None:
        is_changed = options["disable"] or options["enable"]
        if is_changed and not options["name"]:
            raise CommandError("Name the account.")
        with database.in_use():
            try:
                if is_changed:
                    account_list.set_active(options["name"], options["enable"], None)
                found = [account_list.of(options["name"])] if options["name"] else account_list.listed()
            except ServerError as error:
                raise CommandError(str(error)) from None
        for line in table([_COLUMNS, *map(_row, found)]):
            self.stdout.write(line)


def _row(one: account_list.ListedAccount) -> tuple[str, ...]:
    last = f"{one.last_sign_in:%Y-%m-%d %H:%M}" if one.last_sign_in else "never"
    return one.name, LABELS[one.role], "active" if one.is_active else "disabled", last

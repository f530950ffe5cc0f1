"""`manage.py role`: print or set what an account may do."""

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.accounts import account_list
from inference.accounts.roles import GIVEN, LABELS, Role
from inference.core.errors import ServerError
from inference.management import database


class Command(BaseCommand):
    help = "Print the role of an account, or set it: chat, manage or owner."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the user name of the account")
        parser.add_argument("role", nargs="?", choices=[role.value for role in GIVEN])

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            try:
                account = self._account(options["name"], options["role"])
            except ServerError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(f"{account.name}: {LABELS[account.role]}")

    def _account(self, name: str, role: str | None) -> account_list.ListedAccount:
        """The account, after it was given the role if there is one."""
        return account_list.set_role(name, Role(role), None) if role else account_list.of(name)

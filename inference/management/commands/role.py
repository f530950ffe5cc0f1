"""`manage.py role`: say or set what an account may do."""

import argparse
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import BaseCommand, CommandError

from inference.accounts.roles import GIVEN, LABELS, LastOwner, Role, give, role_of
from inference.management import database


class Command(BaseCommand):
    help = "Print the role of an account, or set it: chat, manage or owner."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the user name of the account")
        parser.add_argument("role", nargs="?", choices=[role.value for role in GIVEN])

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            user = User.objects.filter(username=options["name"]).first()
            if user is None:
                raise CommandError(f"There is no account {options['name']!r}.")
            if options["role"]:
                self._give(user, Role(options["role"]))
        self.stdout.write(f"{user.get_username()}: {LABELS[role_of(user)]}")

    def _give(self, user: User, role: Role) -> None:
        before = role_of(user)
        if before == role:
            return
        try:
            give(user, role)
        except LastOwner as error:
            raise CommandError(str(error)) from None
        LogEntry.objects.create(
            user=user,  # an entry needs an account, and at the command line nobody is signed in
            content_type=ContentType.objects.get_for_model(User),
            object_id=str(user.pk),
            object_repr=user.get_username(),
            action_flag=CHANGE,
            change_message=f"Role at the command line: {LABELS[role]}, before: {LABELS[before]}.",
        )

"""`manage.py password_link`: a one-time link with which somebody sets a password."""

import argparse
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError

from inference.accounts import password_link
from inference.core import addresses
from inference.management import database
from inference.serving import site_lock


class Command(BaseCommand):
    help = "Print a one-time link with which the owner of an account sets its password within a day."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="the user name of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            user = get_user_model().objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['name']!r}.")
        if not user.is_active:
            raise CommandError(f"The account {options['name']!r} is disabled, so nobody can sign in to it.")
        self.stderr.write(
            f"Send this link to the owner of {options['name']!r} only. It works once, for a day, and until "
            "somebody signs in to the account:"
        )
        self.stdout.write(f"{_address()}{password_link.path_of(user)}")


def _address() -> str:
    """Where browsers find the site: its address behind a proxy, else where it listens."""
    config = settings.CONFIG
    if config.own_origins:
        return str(config.own_origins[0])
    serving = site_lock.running_site(config.data_dir)
    host, port = (serving.host, serving.port) if serving and serving.port else (config.host, config.port)
    if host in addresses.EVERYWHERE:
        host = config.allowed_hosts.split(",")[0] or "127.0.0.1"
    return site_lock.url(host, port)

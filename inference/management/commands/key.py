"""`manage.py key`: make, list and revoke API keys."""

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from inference.keys.models import ApiKey
from inference.types import SCOPES

_FIELDS = {"chat": "can_chat", "embeddings": "can_embed", "manage": "can_manage"}
_DAYS = re.compile(r"(\d{1,5})d")


class Command(BaseCommand):
    help = "Make, list and revoke API keys."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="create|list|revoke")
        create = parts.add_parser("create", help="make a key and print it, this once")
        create.add_argument("name", help="what it is for")
        create.add_argument("--owner", required=True, help="the name of the user it belongs to")
        create.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            help="what it may do; chat and embeddings if not given",
        )
        create.add_argument(
            "--expires", type=_moment, help="30d, or a date such as 2027-01-31; never if not given"
        )
        create.add_argument("--requests-per-minute", type=int)
        create.add_argument("--tokens-per-day", type=int)
        create.add_argument("--streams", type=int, help="answers made at the same time")
        parts.add_parser("list", help="show every key, but not its secret")
        revoke = parts.add_parser("revoke", help="have a key open nothing any more")
        revoke.add_argument("key", help="what it begins with, or its name if there is only one such")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['part']}")(options)
        except DatabaseError as error:
            raise CommandError(
                f"The database fails: {error}. Start the site once with `python manage.py serve`."
            ) from None

    def _create(self, options: dict[str, Any]) -> None:
        owner = get_user_model().objects.filter(username=options["owner"]).first()
        if owner is None:
            raise CommandError(
                f"There is no user {options['owner']!r}; `manage.py createsuperuser` makes one."
            )
        scopes = options["scope"] or ("chat", "embeddings")
        key = ApiKey(
            name=options["name"],
            owner=owner,
            expires_at=options["expires"],
            requests_per_minute=options["requests_per_minute"],
            tokens_per_day=options["tokens_per_day"],
            concurrent_streams=options["streams"],
            **{field: scope in scopes for scope, field in _FIELDS.items()},
        )
        secret = key.give_secret()
        try:
            key.full_clean()
        except ValidationError as error:
            wrong = "; ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())
            raise CommandError(wrong) from None
        key.save()
        self.stderr.write("Copy this key now; it is shown this once:")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        for line in lines():
            self.stdout.write("".join(char if char.isprintable() else "?" for char in line))

    def _revoke(self, options: dict[str, Any]) -> None:
        wanted = options["key"]
        found = list(ApiKey.objects.filter(prefix=wanted) or ApiKey.objects.filter(name=wanted))
        if len(found) != 1:
            why = "There are several keys" if found else "There is no key"
            raise CommandError(f"{why} {wanted!r}; `manage.py key list` shows what each begins with.")
        found[0].revoke()
        self.stdout.write(f"{found[0]} is revoked; a running site feels it within a few seconds.")


def lines() -> Iterator[str]:
    """The keys as a terminal shows them."""
    keys = list(ApiKey.objects.select_related("owner"))
    if not keys:
        yield "There are no keys yet; `manage.py key create NAME --owner USER` makes one."
    for key in keys:
        used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
        scopes = ",".join(key.scopes) or "nothing"
        yield f"{key.prefix}  {key.state:8}  {scopes:24}  {key.owner}  {used}  {key.name}"


def _moment(text: str) -> datetime:
    """When a key ends: the end of so many days, or a date or time, in UTC where it names no zone."""
    if days := _DAYS.fullmatch(text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            "give days such as 30d, a date such as 2027-01-31, or a time such as 2027-01-31T10:00+02:00"
        ) from None

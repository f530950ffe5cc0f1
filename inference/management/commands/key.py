"""`manage.py key`: make, list and revoke API keys."""

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from inference.core.principal import SCOPES
from inference.management.table import table
from inference.models.api_key import ApiKey

_FIELDS = {"chat": "can_chat", "embeddings": "can_embed", "manage": "can_manage"}
_COLUMNS = ("KEY", "STATE", "SCOPES", "OWNER", "EXPIRES (UTC)", "LIMITS", "LAST USED (UTC)", "NAME")
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
        revoke.add_argument(
            "key", help="its beginning, as `key list` shows it, or its name if only one has it"
        )

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
        keys = list(ApiKey.objects.select_related("owner"))
        if not keys:
            self.stdout.write("There are no keys yet; `manage.py key create NAME --owner USER` makes one.")
            return
        for line in lines(keys):
            self.stdout.write(line)

    def _revoke(self, options: dict[str, Any]) -> None:
        found = _called(options["key"])
        if not found:
            raise CommandError(f"There is no key {options['key']!r}; `manage.py key list` shows them all.")
        if len(found) > 1:
            these = "\n".join(["They are:", *lines(found)])
            raise CommandError(
                f"{len(found)} keys are called {options['key']!r}; give the beginning of the right one, "
                f"such as `manage.py key revoke {found[0].prefix}`. {these}"
            )
        found[0].revoke()
        self.stdout.write(f"{found[0]} is revoked; a running site feels it within a few seconds.")


def _called(wanted: str) -> list[ApiKey]:
    """The keys of this beginning or name; revoked ones only where no other is called so."""
    keys = ApiKey.objects.select_related("owner")
    found = list(keys.filter(name=wanted) or keys.filter(prefix__startswith=wanted))
    return [key for key in found if not key.is_revoked] or found


def lines(keys: Sequence[ApiKey]) -> Iterator[str]:
    """The keys as a terminal shows them."""
    yield from table([_COLUMNS, *map(_row, keys)])


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.prefix,
        key.state,
        ",".join(key.scopes) or "nothing",
        str(key.owner),
        f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
        _limits(key),
        f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
        key.name,
    )


def _limits(key: ApiKey) -> str:
    limits = (
        (key.requests_per_minute, "requests/min"),
        (key.tokens_per_day, "tokens/day"),
        (key.concurrent_streams, "streams"),
    )
    return ", ".join(f"{most:,} {what}" for most, what in limits if most is not None) or "none"


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

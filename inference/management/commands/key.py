"""`manage.py key`: create, list, renew and revoke API keys."""

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.core.errors import InvalidValue
from inference.core.installation import PROGRAM
from inference.core.principal import SCOPES
from inference.management import database, new_key
from inference.management.table import table
from inference.models.api_key import ApiKey
from inference.serving import issued_keys

_COLUMNS = ("KEY", "STATE", "SCOPES", "OWNER", "EXPIRES (UTC)", "LIMITS", "LAST USED (UTC)", "NAME")
_WHICH = "its prefix, as `key list` shows it, or its name if that is unique"
_GRACE = re.compile(r"(\d{1,3})([hd])")


class Command(BaseCommand):
    help = "Create, list, renew and revoke API keys."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        subcommands = parser.add_subparsers(
            dest="subcommand", required=True, metavar="create|list|renew|revoke"
        )
        create = subcommands.add_parser("create", help="create a key and print it once")
        create.add_argument("name", help="what it is for")
        create.add_argument("--owner", required=True, help="the name of the user it belongs to")
        create.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            help="what it may do; chat and embeddings by default",
        )
        create.add_argument(
            "--expires", type=_expiry, help="30d, or a date such as 2027-01-31; never by default"
        )
        create.add_argument(
            "--model", action="append", default=[], help="a model that it may use; all where none is given"
        )
        create.add_argument("--requests-per-minute", type=int)
        create.add_argument("--tokens-per-day", type=int)
        create.add_argument("--streams", type=int, help="maximum number of concurrent streams")
        subcommands.add_parser("list", help="show every key, but not its secret")
        renew = subcommands.add_parser("renew", help="give a key a new secret, and print it once")
        renew.add_argument("key", help=_WHICH)
        renew.add_argument("--expires", type=_expiry, help="as for create; by default, as long as before")
        renew.add_argument(
            "--grace",
            type=_grace,
            default=timedelta(0),
            help="24h, or 7d: how long the old secret still works",
        )
        revoke = subcommands.add_parser("revoke", help="revoke a key")
        revoke.add_argument("key", help=_WHICH)

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            getattr(self, f"_{options['subcommand']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        wishes = issued_keys.KeyWishes(
            name=options["name"],
            owner=options["owner"],
            scopes=options["scope"] or ("chat", "embeddings"),
            models=options["model"],
            expires=options["expires"],
            requests_per_minute=options["requests_per_minute"],
            tokens_per_day=options["tokens_per_day"],
            concurrent_streams=options["streams"],
        )
        secret = new_key.issue(wishes)
        self.stderr.write("Copy this key now; it is shown only once:")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        keys = list(ApiKey.objects.select_related("owner"))
        if not keys:
            self.stdout.write(f"There are no keys yet; `{PROGRAM} key create NAME --owner USER` creates one.")
            return
        for line in lines(keys):
            self.stdout.write(line)

    def _renew(self, options: dict[str, Any]) -> None:
        key = _the_one(options["key"], "renew")
        if key.is_revoked:
            raise CommandError(f"{key} is revoked permanently; `{PROGRAM} key create` makes another one.")
        try:
            renewed = issued_keys.renew(key.prefix, None, expires=options["expires"], grace=options["grace"])
        except InvalidValue as error:
            raise CommandError(f"{error.param}: {error}") from None
        old_end, new_end = renewed.old_secret_end, renewed.expires_at
        old = f"works until {old_end:%Y-%m-%d %H:%M} UTC" if old_end else "has ended"
        end = f"until {new_end:%Y-%m-%d %H:%M} UTC" if new_end else "without an end"
        self.stderr.write(f"{key} is renewed, {end}; its old secret {old}.")
        self.stderr.write("Copy the new secret now; it is shown only once:")
        self.stdout.write(renewed.secret or "")

    def _revoke(self, options: dict[str, Any]) -> None:
        key = _the_one(options["key"], "revoke")
        issued_keys.revoke(key.prefix, None)
        self.stdout.write(f"{key} is revoked; a running site applies this within a few seconds.")


def _the_one(identifier: str, verb: str) -> ApiKey:
    """The key with this name or prefix; raises CommandError where there is none, or more than one."""
    found = _matching(identifier)
    if not found:
        raise CommandError(f"There is no key {identifier!r}; `{PROGRAM} key list` shows them all.")
    if len(found) == 1:
        return found[0]
    these = "\n".join(["They are:", *lines(found)])
    raise CommandError(
        f"{len(found)} keys match {identifier!r}; give the prefix of the right one, "
        f"such as `{PROGRAM} key {verb} {found[0].prefix}`. {these}"
    )


def _matching(identifier: str) -> list[ApiKey]:
    """The keys with this name, or else this prefix; revoked ones only if there is no other."""
    keys = ApiKey.objects.select_related("owner")
    found = list(keys.filter(name=identifier) or keys.filter(prefix__startswith=identifier))
    return [key for key in found if not key.is_revoked] or found


def lines(keys: Sequence[ApiKey]) -> Iterator[str]:
    """The keys as a table for a terminal."""
    yield from table([_COLUMNS, *map(_row, keys)])


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.prefix,
        key.state,
        ",".join(key.scopes) or "none",
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
    texts = [f"{limit:,} {unit}" for limit, unit in limits if limit is not None]
    return (
        ", ".join([*texts, *([f"models {', '.join(key.allowed_models)}"] if key.allowed_models else [])])
        or "none"
    )


def _grace(text: str) -> timedelta:
    """A time in hours or days."""
    found = _GRACE.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError("give hours such as 24h, or days such as 7d")
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


def _expiry(text: str) -> datetime:
    """The expiry from a number of days, a date or a time; UTC unless it names a time zone."""
    try:
        return issued_keys.end_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None

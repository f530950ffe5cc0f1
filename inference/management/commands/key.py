"""`manage.py key`: create, list and revoke API keys."""

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.core.installation import PROGRAM
from inference.core.principal import SCOPES
from inference.management import database, new_key
from inference.management.table import table
from inference.models.api_key import ApiKey
from inference.serving import runtime

_FIELDS = {
    "chat": "can_chat",
    "embeddings": "can_embed",
    "manage": "can_manage",
    "metrics": "can_read_metrics",
}
_COLUMNS = ("KEY", "STATE", "SCOPES", "OWNER", "EXPIRES (UTC)", "LIMITS", "LAST USED (UTC)", "NAME")
_DAYS = re.compile(r"(\d{1,5})d")


class Command(BaseCommand):
    help = "Create, list and revoke API keys."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="create|list|revoke")
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
        revoke = subcommands.add_parser("revoke", help="end the validity of a key")
        revoke.add_argument("key", help="its prefix, as `key list` shows it, or its name if that is unique")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            getattr(self, f"_{options['subcommand']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        scopes = options["scope"] or ("chat", "embeddings")
        key = ApiKey(
            name=options["name"],
            owner=new_key.owner_of(options["owner"]),
            expires_at=options["expires"],
            allowed_models=_model_ids(options["model"]),
            requests_per_minute=options["requests_per_minute"],
            tokens_per_day=options["tokens_per_day"],
            concurrent_streams=options["streams"],
            **{field: scope in scopes for scope, field in _FIELDS.items()},
        )
        secret = new_key.save(key)
        self.stderr.write("Copy this key now; it is shown only once:")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        keys = list(ApiKey.objects.select_related("owner"))
        if not keys:
            self.stdout.write(f"There are no keys yet; `{PROGRAM} key create NAME --owner USER` creates one.")
            return
        for line in lines(keys):
            self.stdout.write(line)

    def _revoke(self, options: dict[str, Any]) -> None:
        found = _matching(options["key"])
        if not found:
            raise CommandError(f"There is no key {options['key']!r}; `{PROGRAM} key list` shows them all.")
        if len(found) > 1:
            these = "\n".join(["They are:", *lines(found)])
            raise CommandError(
                f"{len(found)} keys match {options['key']!r}; give the prefix of the right one, "
                f"such as `{PROGRAM} key revoke {found[0].prefix}`. {these}"
            )
        found[0].revoke()
        self.stdout.write(f"{found[0]} is revoked; a running site applies this within a few seconds.")


def _model_ids(names: Sequence[str]) -> list[str]:
    """The ids of the models, adapters and profiles of these names; raises CommandError."""
    found = [(name, runtime.catalog().find(name)) for name in names]
    cards = [(name, card and card.requested_as(name)) for name, card in found]
    if missing := next((name for name, card in cards if card is None), ""):
        raise CommandError(f"There is no model {missing!r}; `{PROGRAM} models` lists them.")
    return [card.id for _, card in cards if card]


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


def _expiry(text: str) -> datetime:
    """The expiry from a number of days, a date or a time; UTC unless it names a time zone."""
    if days := _DAYS.fullmatch(text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        expiry = datetime.fromisoformat(text)
        return expiry.astimezone(UTC) if expiry.tzinfo else expiry.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            "give days such as 30d, a date such as 2027-01-31, or a time such as 2027-01-31T10:00+02:00"
        ) from None

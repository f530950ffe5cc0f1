"""`manage.py connect`: what a client needs to use this server, printed or written into its own files."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError

from inference.connect.agent_names import AGENT_NAMES, AS_TEXT
from inference.connect.client import NO_KEY, ConnectableClient, UnusableValue, Values
from inference.connect.clients import CLIENTS, find
from inference.connect.errors import FileRefused, NothingToUndo
from inference.connect.setup import Setup, Written
from inference.core.installation import PROGRAM
from inference.core.model_card import ModelCard, requestable
from inference.management import database, new_key
from inference.management.table import table
from inference.models import ServedModel
from inference.models.api_key import ApiKey
from inference.serving import runtime, site_lock
from inference.serving.issued_keys import KeyWishes

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_ADDRESS = re.compile(r"(https?://[^/?#\s]+?)(?:/v1)?/?")


class Command(BaseCommand):
    help = "Show what a client needs to use this server, or write it into the client's own files."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("client", nargs="?", help="its name; without it all clients are listed")
        parser.add_argument("--model", help="a model's id, an alias, or `model:adapter`")
        parser.add_argument("--base", help="the address of the server; the default is the running site's")
        key = parser.add_mutually_exclusive_group()
        key.add_argument("--key", default=NO_KEY, help="an API key")
        key.add_argument("--make-key", action="store_true", help="create a key for this client")
        parser.add_argument("--owner", help="with --make-key: the user it belongs to")
        parser.add_argument(
            "--agent-names", action="store_true", help=f"let the model also answer to {AS_TEXT}"
        )
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--write", action="store_true", help="put the settings into the client's files")
        action.add_argument("--undo", action="store_true", help="restore the client's files")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["client"]:
            self._list()
            return
        client = find(options["client"])
        if client is None:
            raise CommandError(f"There is no client {options['client']!r}; `{PROGRAM} connect` lists them.")
        setup = Setup(client, Path.home(), settings.CONFIG.data_dir / "connect")
        try:
            if options["undo"]:
                self._undo(client, setup)
            elif options["write"]:
                self._write(client, setup, options)
            else:
                self._print(client, self._values(client, options))
        except (FileRefused, UnusableValue) as error:
            raise CommandError(str(error)) from None

    def _list(self) -> None:
        rows = [
            (client.name, client.title, client.dialect, ", ".join(part.path for part in client.files))
            for client in CLIENTS
        ]
        for line in table([("CLIENT", "", "DIALECT", "--write CHANGES"), *rows]):
            self.stdout.write(line)

    def _print(self, client: ConnectableClient, values: Values) -> None:
        for part in client.parts:
            self.stderr.write(f"{part.title}{f', {part.path}' if part.path else ''}:\n")
            self.stdout.write(part.filled(values))
        if client.note:
            self.stderr.write(client.note)

    def _write(self, client: ConnectableClient, setup: Setup, options: dict[str, Any]) -> None:
        if not client.files:
            raise CommandError(
                f"{client.title} has no file to write; `{PROGRAM} connect {client.name}` shows what it needs."
            )
        setup.check(Values(origin="", model="", context=1))  # before a key is made in vain
        for one in setup.write(self._values(client, options)):
            kept = f"; its previous content is in {one.backup}" if one.backup else ""
            self.stdout.write(f"Wrote {one.path}{kept}.")
        self.stdout.write(f"`{PROGRAM} connect {client.name} --undo` undoes this.")

    def _undo(self, client: ConnectableClient, setup: Setup) -> None:
        try:
            undone = setup.undo()
        except NothingToUndo:
            raise CommandError(f"No file of {client.title} was written here, or it was undone.") from None
        for one in undone:
            self.stdout.write(_undone(one))

    def _values(self, client: ConnectableClient, options: dict[str, Any]) -> Values:
        origin, (card,) = _origin(options["base"]), runtime.pool().fitted(_card(options["model"]))
        if options["agent_names"]:
            self._add_agent_names(card.resident_id)
        key = self._new_key(client, options["owner"]) if options["make_key"] else options["key"]
        return Values(
            origin=origin,
            key=key,
            model=options["model"] or card.id,
            context=card.context_length,
            sees=card.sees,
        )

    def _add_agent_names(self, model: str) -> None:
        with database.in_use():
            row, _ = ServedModel.objects.get_or_create(name=model)
            try:
                row.add_aliases(AGENT_NAMES)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        self.stderr.write(f"{model} also answers to {AS_TEXT}.")

    def _new_key(self, client: ConnectableClient, owner: str | None) -> str:
        with database.in_use():
            user = new_key.owner_of(owner) if owner else _only_user()
            name = ApiKey.objects.free_name(user, client.title)
            secret = new_key.issue(KeyWishes(name=name, owner=user.get_username()))
        self.stderr.write("The key below is new; it is shown only once.")
        return secret


def _undone(one: Written) -> str:
    return f"{one.path} was restored." if one.backup else f"{one.path} was deleted."


def _origin(given: str | None) -> str:
    """The address of a server without its path: the given one, or that of this data folder's site."""
    if given:
        if found := _ADDRESS.fullmatch(given):
            return found[1]
        raise CommandError("--base is the server's address, such as http://127.0.0.1:8000.")
    site = site_lock.running_site(settings.CONFIG.data_dir)
    host, port = (
        (site.host, site.port) if site and site.port else (settings.CONFIG.host, settings.CONFIG.port)
    )
    if not port:
        raise CommandError("No site is running, and its port is not fixed; give its address with --base.")
    return site_lock.url(_ANYWHERE.get(host, host), port)


def _card(name: str | None) -> ModelCard:
    """The card of the model or variant of this name; without a name, the only model that makes text."""
    if name is None:
        return _only(requestable(runtime.catalog().scan()))
    found = runtime.catalog().find(name)
    card = found.requested_as(name) if found else None
    if card is None or not card.is_servable:
        raise CommandError(f"There is no model {name!r}; `{PROGRAM} models` lists them.")
    return card


def _only(cards: Sequence[ModelCard]) -> ModelCard:
    chats = [card for card in cards if card.kind == "chat" and not card.base]
    if len(chats) != 1:
        raise CommandError(f"Choose a model with --model; `{PROGRAM} models` lists them.")
    return chats[0]


def _only_user() -> Any:
    """The only superuser there is; raises CommandError."""
    found = list(User.objects.filter(is_superuser=True, is_active=True)[:2])
    if len(found) != 1:
        raise CommandError("Say whose key it is with --owner.")
    return found[0]

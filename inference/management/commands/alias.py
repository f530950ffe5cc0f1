"""`manage.py alias ID [NAME...]`: the other names that requests may use for a model."""

import argparse
from typing import Any

from django.core.management import CommandError

from inference.connect.agent_names import AGENT_NAMES, AS_TEXT
from inference.core.errors import ServerError
from inference.core.installation import PROGRAM
from inference.management import database
from inference.management.client import ModelCommand, NotRunning
from inference.models import ServedModel
from inference.serving import model_settings


class Command(ModelCommand):
    help = "List the aliases of a model, add some, or remove some."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("names", nargs="*", metavar="NAME", help="aliases to add, such as `claude-*`")
        parser.add_argument("--agents", action="store_true", help=f"also add {AS_TEXT}")
        parser.add_argument("--remove", action="store_true", help="remove the aliases instead")

    def handle(self, *args: Any, **options: Any) -> None:
        named = [*options["names"], *(AGENT_NAMES if options["agents"] else ())]
        if options["remove"] and not named:
            raise CommandError("Name the aliases to remove.")
        with database.in_use():
            try:
                self._act(options, named)
            except ServerError as error:
                raise CommandError(str(error)) from None

    def _act(self, options: dict[str, Any], named: list[str]) -> None:
        model = _own_name(options["model"])
        aliases = _aliases_of(model)
        if named:
            wanted = _removed(aliases, named) if options["remove"] else _added(aliases, named)
            self._save(options, model, wanted)
            aliases = _aliases_of(model)
        self.stdout.write(f"{model}: {', '.join(aliases) or 'no aliases'}")

    def _save(self, options: dict[str, Any], model: str, aliases: list[str]) -> None:
        """Through the running site, which applies it at once; without one, for its next start."""
        try:
            self.client(options).act("aliases", model, alias_names=aliases)
        except NotRunning:
            model_settings.save_aliases(model, aliases)


def _own_name(model: str) -> str:
    try:
        return model_settings.own_name(model)
    except ServerError as error:
        raise CommandError(f"{error} `{PROGRAM} models` lists them.") from None


def _aliases_of(model: str) -> list[str]:
    row = ServedModel.objects.filter(name=model).first()
    return list(row.choice.aliases) if row else []


def _added(aliases: list[str], named: list[str]) -> list[str]:
    return list(dict.fromkeys([*aliases, *named]))


def _removed(aliases: list[str], named: list[str]) -> list[str]:
    if missing := [name for name in named if name not in aliases]:
        raise CommandError(f"{', '.join(missing)} is no alias of this model.")
    return [name for name in aliases if name not in named]

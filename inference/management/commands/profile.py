"""`manage.py profile`: list, save and delete the profiles of a model."""

import argparse
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.core.errors import ServerError
from inference.management import database, json_value
from inference.models.sampling_fields import SAMPLING_FIELDS
from inference.serving import profiles


class Command(BaseCommand):
    help = "List the profiles of a model, or save or delete one; requests name it as MODEL:NAME."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "model", nargs="?", default="", help="the id of the model; without it, all profiles"
        )
        parser.add_argument("name", nargs="?", help="the profile to save, or to delete with --delete")
        parser.add_argument("--delete", action="store_true", help="delete the profile")
        parser.add_argument("--system", default="", help="text before a request's own system message")
        for field in SAMPLING_FIELDS:
            kind = int if field == "top_k" else float
            parser.add_argument(f"--{field.replace('_', '-')}", type=kind, help="the model's own by default")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a variable of the chat template, such as enable_thinking=false; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        model, name = options["model"], options["name"]
        chosen = {field: options[field] for field in ("system", *SAMPLING_FIELDS)}
        if name is None and (
            options["delete"]
            or options["option"]
            or any(value not in (None, "") for value in chosen.values())
        ):
            raise CommandError("Name the profile, too.")
        with database.in_use():
            try:
                self._act(
                    model, name, chosen | {"template_options": _options(options["option"])}, options["delete"]
                )
            except ServerError as error:
                raise CommandError(str(error)) from None

    def _act(self, model: str, name: str | None, fields: dict[str, Any], is_deleted: bool) -> None:
        if name is None:
            for one in profiles.listed(model):
                self.stdout.write(_line(one))
        elif is_deleted:
            profiles.delete(model, name)
            self.stdout.write(f"Deleted {model}:{name}.")
        else:
            self.stdout.write(f"Saved {_line(profiles.save(model, name, fields))}")


def _options(given: list[str]) -> dict[str, Any]:
    """The variables of a template, as JSON where a value is JSON and as text elsewhere."""
    made: dict[str, Any] = {}
    for one in given:
        name, mark, text = one.partition("=")
        if not mark or not name:
            raise CommandError(f"{one!r} is not NAME=VALUE.")
        try:
            made[name] = json_value.parsed(text)
        except ValueError:
            made[name] = text
    return made


def _line(profile: profiles.ListedProfile) -> str:
    """The id of a profile and what it sets."""
    values = {field: getattr(profile, field) for field in profiles.FIELDS}
    parts = [f"{field}={value}" for field, value in values.items() if value not in (None, "", {})]
    return "  ".join((profile.id, *parts))

"""`manage.py model_settings ID [NAME=VALUE...]`: the settings of one model."""

import argparse
import json
from typing import Any

import msgspec
from django.core.management import CommandError

from inference.api.http import strict_json
from inference.api.operator.model_settings import NewSettings
from inference.core.errors import ServerError
from inference.management import database, json_value
from inference.management.client import ModelCommand, NotRunning
from inference.management.table import table
from inference.serving import model_settings
from inference.serving.model_settings import FIELDS, ModelSettings

_TEXTS = ("adapter", "speculation", "draft_model")


class Command(ModelCommand):
    help = "Print the settings of a model, or change some; an empty value takes a setting back."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "settings", nargs="*", metavar="NAME=VALUE", help=f"a setting; the names are {', '.join(FIELDS)}"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            try:
                settings = self._settings(options)
            except ServerError as error:
                raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(settings), indent=1))
            return
        rows = [(field, _text(getattr(settings, field))) for field in FIELDS]
        for line in table([("SETTING", "VALUE"), *rows]):
            self.stdout.write(line)
        if settings.applies_at_load:
            self.stdout.write(f"{settings.model} still has its earlier settings in memory; reload it.")

    def _settings(self, options: dict[str, Any]) -> ModelSettings:
        """The settings after the changes, through the running site if there is one."""
        changes, reset = _parsed(options["settings"])
        if not changes and not reset:
            return model_settings.of(options["model"])
        checked = _checked(options["model"], changes, reset)
        try:
            return self.client(options).change_settings(options["model"], changes, reset)
        except NotRunning:
            return model_settings.save(options["model"], checked, reset)


def _parsed(given: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The values to set, and the names of the settings to take back."""
    changes: dict[str, Any] = {}
    reset: list[str] = []
    for one in given:
        name, mark, text = one.partition("=")
        if not mark or name not in FIELDS:
            raise CommandError(f"{one!r} is not NAME=VALUE; the names are {', '.join(FIELDS)}.")
        if text:
            changes[name] = text if name in _TEXTS else _value(name, text)
        else:
            reset.append(name)
    return changes, reset


def _value(name: str, text: str) -> Any:
    try:
        return json_value.parsed(text)
    except ValueError:
        raise CommandError(f"{name} is a number, or true or false; {text!r} is neither.") from None


def _checked(model: str, changes: dict[str, Any], reset: list[str]) -> dict[str, Any]:
    """The values as /api takes them; raises InvalidValue."""
    body = json.dumps({"model": model, "reset": reset} | changes).encode()
    wanted = strict_json.parse(body, NewSettings)
    return wanted.model_dump(include=set(FIELDS), exclude_none=True)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "") else str(value)

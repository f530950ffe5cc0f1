"""`manage.py upstream`: list, add, test and remove other servers that answer for models."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.core.errors import ServerError
from inference.core.upstream import ENGINES
from inference.management import database
from inference.management.table import table
from inference.serving import upstreams

_KEY_HELP = "file with the API key of the other server; - reads it from the terminal or a pipe"


class Command(BaseCommand):
    help = "List, add, test or remove upstreams: other servers that serve models of this site."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, parser_class=argparse.ArgumentParser)
        actions.add_parser("list", help="list all upstreams with their models")
        add = actions.add_parser("add", help="add an upstream, or replace the one of this name")
        add.add_argument("name", help="its name on this site")
        add.add_argument("base_url", help="the base URL of its API, such as http://10.0.0.5:8000/v1")
        add.add_argument(
            "--model",
            action="append",
            required=True,
            metavar="OURS[=THEIRS]",
            help="a model: its name on this site, and its name on the other server; may be repeated",
        )
        add.add_argument(
            "--engine", choices=ENGINES, default="openai", help="the program on the other server"
        )
        add.add_argument("--context", type=int, default=8192, metavar="TOKENS", help="of each of the models")
        add.add_argument(
            "--streams", type=int, default=0, metavar="N", help="maximum number of concurrent requests"
        )
        add.add_argument("--no-tools", action="store_true", help="the models cannot call tools")
        add.add_argument("--reasons", action="store_true", help="the models reason before they answer")
        add.add_argument("--sees", action="store_true", help="the models accept pictures")
        add.add_argument("--key-file", metavar="FILE", help=_KEY_HELP)
        for action, text in (
            ("test", "request the list of an upstream's models"),
            ("remove", "remove an upstream"),
        ):
            actions.add_parser(action, help=text).add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            try:
                getattr(self, f"_{options['action']}")(options)
            except ServerError as error:
                raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        found = upstreams.listed()
        rows = [
            (one.name, one.base_url, one.engine, model.model, one.problem or "enabled")
            for one in found
            for model in one.models
        ]
        rows += [(one.name, one.base_url, one.engine, "–", one.problem) for one in found if not one.models]
        if not rows:
            self.stdout.write("There are no upstreams; `upstream add` adds one.")
            return
        for line in table([("NAME", "BASE URL", "ENGINE", "MODEL", "STATE"), *rows]):
            self.stdout.write(line)

    def _add(self, options: dict[str, Any]) -> None:
        models = [_model(given, options) for given in options["model"]]
        key = _read_key(options["key_file"]) if options["key_file"] else None
        saved = upstreams.save(
            options["name"], options["base_url"], models, engine=options["engine"], key=key
        )
        self.stdout.write(f"Saved {saved.name} with {', '.join(model.model for model in saved.models)}.")
        self._test(options)

    def _test(self, options: dict[str, Any]) -> None:
        found = asyncio.run(upstreams.test(options["name"]))
        style = self.style.SUCCESS if found.answers else self.style.WARNING
        self.stdout.write(style(found.text))

    def _remove(self, options: dict[str, Any]) -> None:
        upstreams.remove(options["name"])
        self.stdout.write(f"Removed {options['name']}.")


def _model(given: str, options: dict[str, Any]) -> dict[str, object]:
    ours, _, theirs = given.partition("=")
    return {
        "model": ours,
        "name": theirs,
        "context_length": options["context"],
        "most_streams": options["streams"],
        "takes_tools": not options["no_tools"],
        "can_reason": options["reasons"],
        "sees": options["sees"],
    }


def _read_key(file: str) -> str:
    try:
        return (sys.stdin.readline() if file == "-" else Path(file).read_text()).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The key cannot be read: {error}.") from None

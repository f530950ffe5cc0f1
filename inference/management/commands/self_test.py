"""`manage.py self_test ID`: test a model's template, roles, stop tokens and tools, without its weights."""

import argparse
import json
from typing import Any

import msgspec
from django.core.management import BaseCommand, CommandError

from inference.core.errors import ServerError
from inference.management import database
from inference.serving import model_tests


class Command(BaseCommand):
    help = "Test the chat template, roles, stop tokens and tools of a model; its weights are not loaded."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("model", help="the model's id, or one of its aliases")
        parser.add_argument("--json", action="store_true", help="print JSON, as POST /api/models/test has it")

    def handle(self, *args: Any, **options: Any) -> None:
        with database.in_use():
            try:
                report = model_tests.run_one(options["model"])
            except ServerError as error:
                raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(report), indent=1))
            return
        self.stdout.write(f"{report.model}: {report.summary}.")
        for text in report.texts or ("No problems were found.",):
            self.stdout.write(text)

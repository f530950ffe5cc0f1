"""`manage.py import_gguf FILE`: convert a GGUF file to an MLX model in the models folder."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.core.installation import PROGRAM
from inference.management.folder import models_folder
from inference.repository.files.staging import NAME, draft_of
from inference.repository.gguf_import import ImportRefused, import_gguf


class Command(BaseCommand):
    help = "Convert a GGUF file to a model in the models folder; the file stays unchanged."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the GGUF file")
        parser.add_argument("--name", help="the model's name; the default is the file's name")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        name = options["name"] or file.stem
        if not NAME.fullmatch(name):
            raise CommandError("Use a --name of letters, digits, dots, dashes and underscores.")
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        target = models_folder(settings.CONFIG) / name
        self.stdout.write(f"Converting {file.name}…")
        try:
            import_gguf(file, target)
        except ImportRefused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            is_left = draft_of(target).exists()
            left = (
                f"`{PROGRAM} remove {name}` deletes the incomplete model"
                if is_left
                else "no files were left behind"
            )
            raise CommandError(f"Stopped; {left}.") from None
        self.stdout.write(f"{name} was imported; a running site lists it within seconds.")

"""`manage.py import_gguf FILE`: a GGUF file as a model in MLX form in the models folder."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.management.folder import models_folder
from inference.repository.files.staging import NAME, draft_of
from inference.repository.gguf_import import ImportRefused, import_gguf


class Command(BaseCommand):
    help = "Make a model of a GGUF file; the file stays as it is."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the GGUF file")
        parser.add_argument("--name", help="the model's name; the file's own without its ending")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        name = options["name"] or file.stem
        if not NAME.fullmatch(name):
            raise CommandError("Give it a --name of letters, digits, dots, dashes and underscores.")
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
                f"`manage.py remove {name}` deletes what was half made"
                if is_left
                else "nothing of it is left"
            )
            raise CommandError(f"Stopped; {left}.") from None
        self.stdout.write(f"{name} is there; a running site lists it within seconds.")

"""`manage.py import_gguf FILE`: convert a GGUF file to an MLX model in the models folder."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.core.installation import PROGRAM
from inference.core.units import in_gb_or_mb
from inference.management.folder import models_folder
from inference.management.table import printable, table
from inference.repository.files.staging import NAME, draft_of
from inference.repository.gguf_import import ImportRefused, import_gguf
from inference.serving import gguf_imports

_LOOK_S = 30.0  # for the headers of all files


class Command(BaseCommand):
    help = "Convert a GGUF file to a model in the models folder; the file stays unchanged."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="the GGUF file; without it, those of the server's folder are listed",
        )
        parser.add_argument("--name", help="the model's name; the default is the file's name")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] is None:
            self._list()
            return
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

    def _list(self) -> None:
        """The files that the admin lists; each can be imported by its path."""
        folder = gguf_imports.folder()
        found = folder.files(within_s=_LOOK_S)
        if not found:
            self.stdout.write(f"There are no GGUF files in {folder.path}.")
            return
        rows = [
            (file.name, in_gb_or_mb(file.bytes), file.architecture, file.quantization, file.problem)
            for file in found
        ]
        for line in table([("FILE", "SIZE", "ARCHITECTURE", "WEIGHTS", ""), *rows]):
            self.stdout.write(printable(line))

"""`manage.py backup FILE`: save the database, the secret key and the settings of the data folder."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference.serving.backups.archive import BackupError
from inference.serving.backups.backup import back_up

_MB = 10**6


class Command(BaseCommand):
    help = "Save the database, the secret key and the settings in one file; the site may be running."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help="the tar file to write; compressed if its name ends with .gz"
        )
        parser.add_argument("--models", action="store_true", help="save the models folder as well")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"].absolute()
        try:
            listed = back_up(settings.CONFIG, file, with_models=options["models"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(listed.files)} files, {listed.size / _MB:.1f} MB, are saved in {file}. It contains "
            "secrets: keep it where only you can read it."
        )

"""`manage.py restore FILE`: put a backup into a data folder that has no database yet."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from inference.core.installation import PROGRAM
from inference.serving import site_lock
from inference.serving.backups.archive import BackupError
from inference.serving.backups.restore import restore


class Command(BaseCommand):
    help = "Restore what `backup` has saved, into a data folder that has no database yet."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file that `backup` has written")

    def handle(self, *args: Any, **options: Any) -> None:
        config = settings.CONFIG
        known = frozenset(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)
        try:
            listed = restore(config, options["file"].absolute(), known)
        except BackupError as error:
            raise CommandError(str(error)) from error
        except site_lock.ServedAlready as other:
            raise CommandError(f"A site uses {config.data_dir}: {other}. Stop it first.") from None
        self.stdout.write(
            f"{len(listed.files)} files of the backup of {listed.created} are restored in {config.data_dir}. "
            f"`{PROGRAM} serve` starts the site."
        )

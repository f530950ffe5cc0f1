"""`manage.py move_database URL`: copy the site's SQLite database into an empty one on a PostgreSQL server."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from inference.core import data_folder, database_setting
from inference.core.config import Config
from inference.core.installation import INSTALLATION
from inference.management.moving.errors import MoveError
from inference.management.moving.move import move
from inference.serving import site_lock


class Command(BaseCommand):
    help = "Copy the SQLite database of the data folder into an empty PostgreSQL database, and compare both."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "url", nargs="?", help="the address of the empty database; by default MLX_SERVER_DATABASE_URL's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        config: Config = settings.CONFIG
        target = _target(config, options["url"])
        source = config.data_dir / data_folder.DATABASE
        if not source.is_file():
            raise CommandError(f"There is no database in {config.data_dir}.")
        try:
            with site_lock.locked(config.data_dir), tqdm(unit=" rows", disable=None, leave=False) as bar:
                rows = move(source, target, bar)
        except site_lock.ServedAlready as other:
            raise CommandError(f"A site uses {config.data_dir}: {other}. Stop it first.") from None
        except site_lock.LockUnusable as error:
            raise CommandError(f"{error}. Move it away, or correct its permissions.") from None
        except MoveError as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"Nothing was moved: {' '.join(str(error).split())}") from None
        self.stdout.write(
            f"{rows:,} rows are in the database {target['NAME']}, and each table is the same in both. Set "
            f"MLX_SERVER_DATABASE_URL to its address, here or in {INSTALLATION.env_file}, and start the "
            f"site. {source} stays as it was: keep it until you have checked the new database, then delete "
            "it."
        )


def _target(config: Config, url: str | None) -> dict[str, Any]:
    if url is None and config.database_url is None:
        raise CommandError("Give the address of an empty PostgreSQL database.")
    try:
        return database_setting.of_address(
            url if url is not None else config.database_url.get_secret_value() if config.database_url else ""
        )
    except ValueError as error:
        raise CommandError(f"The address cannot be used: {error}.") from None

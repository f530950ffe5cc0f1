"""`manage.py remove ID`: a model's files, deleted after a typed confirmation."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from inference import runtime
from inference.types import ModelCard

_GB = 10**9


class Command(BaseCommand):
    help = "Delete a model's files from the models folder."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("model", help="the model's id")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        card = next((card for card in runtime.catalog().scan() if card.id == options["model"]), None)
        if card is None:
            raise CommandError(f"There is no model {options['model']!r}; `manage.py models` lists them.")
        folder = _folder_of(card)
        if not options["yes"] and not self._is_confirmed(card):
            raise CommandError("Nothing was deleted.")
        # Renamed first: a folder that is half deleted must not look like a model.
        away = folder.with_name(f".removed-{folder.name}")
        folder.rename(away)
        shutil.rmtree(away)
        self.stdout.write(f"{card.id} was deleted; {card.weight_bytes / _GB:.1f} GB are free again.")

    def _is_confirmed(self, card: ModelCard) -> bool:
        self.stdout.write(f"This deletes {card.weight_bytes / _GB:.1f} GB. Type {card.id} to go on:")
        return input().strip() == card.id


def _folder_of(card: ModelCard) -> Path:
    """A model's own folder; CommandError for what is not ours to delete."""
    models, folder = settings.CONFIG.models_path.resolve(), Path(card.path)
    if card.source != "folder" or folder.is_symlink() or models not in folder.resolve().parents:
        raise CommandError(
            f"{card.id} is not in the models folder; delete it where it came from (`hf cache delete`)."
        )
    return folder

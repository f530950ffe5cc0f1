"""Deleting a model's files: only those in the models folder are this site's to delete."""

import shutil
from pathlib import Path

from inference.types import ModelCard


class NotOurs(Exception):
    """The files belong to the Hugging Face cache, or lie behind a link; the message says what to do."""


def remove(card: ModelCard, models: Path) -> None:
    """Delete the model's folder; raises NotOurs."""
    folder = folder_of(card, models)
    # Renamed first: a folder that is half deleted must not look like a model.
    away = folder.with_name(f".removed-{folder.name}")
    shutil.rmtree(away, ignore_errors=True)  # what a killed run left
    folder.rename(away)
    shutil.rmtree(away)


def folder_of(card: ModelCard, models: Path) -> Path:
    """A model's own folder; raises NotOurs for what is not ours to delete."""
    folder = Path(card.path)
    if card.source != "folder" or folder.is_symlink() or models.resolve() not in folder.resolve().parents:
        raise NotOurs(
            f"The model {card.id} is not in the models folder; delete it where it came from "
            "(`hf cache delete`)."
        )
    return folder

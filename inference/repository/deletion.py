"""Deleting a model: only what lies in the models folder itself is this site's to delete.

Nothing is deleted through a link. Of a model that is a link the link goes, and the files it leads to stay.
"""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from inference.core.model_card import ModelCard
from inference.core.quantisation import JOB_FILE
from inference.repository.conversions.drafts import ConversionDrafts
from inference.repository.files import folder_tree


class NotDeletable(Exception):
    """The model stays; the message says why and what to do."""


class InUse(NotDeletable):
    """Another model is being made of it."""


class NotOurs(NotDeletable):
    """The files belong to the Hugging Face cache, or lie behind a link; the message says what to do."""


@dataclass(frozen=True)
class Removal:
    """What deleting one model does."""

    model: str
    path: Path
    is_link: bool
    bytes: int  # that are free afterwards
    loras: tuple[str, ...] = ()  # its adapters, which lie in its folder
    keeps_files: bool = False  # some of its files are links, or have another name elsewhere

    @property
    def done(self) -> str:
        """What was done, as a text."""
        if self.is_link:
            return f"The link {self.model} was removed; the files that it led to are still there."
        also = f" and of its adapters {', '.join(self.loras)}" if self.loras else ""
        return f"The files of {self.model}{also} were deleted."


def remove(card: ModelCard, models: Path) -> Removal:
    """Delete the model's folder, or the link that it is; raises NotDeletable, or OSError where some stay."""
    planned = plan(card, models)
    if planned.is_link:
        planned.path.unlink()
        return planned
    # Renamed first: a folder that is half deleted must not look like a model.
    away = planned.path.with_name(f".removed-{planned.path.name}")
    if away.is_dir():
        folder_tree.remove(away)  # what a killed run left
    planned.path.rename(away)
    folder_tree.remove(away)
    return planned


def plan(card: ModelCard, models: Path) -> Removal:
    """What `remove` would do now; raises NotOurs for what is not ours to delete, or InUse."""
    path = Path(card.path)
    if card.is_remote:
        raise NotOurs(f"Another server has the files of {card.id}; remove it from its upstream.")
    if card.source != "folder" or models not in path.parents:
        raise NotOurs(
            f"The model {card.id} is not in the models folder; delete it with the program that "
            "downloaded it (`hf cache delete`)."
        )
    above = takewhile(lambda folder: folder != models, path.parents)
    if link := next((folder for folder in above if folder.is_symlink()), None):
        raise NotOurs(
            f"The model {card.id} is inside the link {link.relative_to(models)}, so this site does "
            "not delete its files. Delete them in their own folder, or remove the link."
        )
    if made := ConversionDrafts(models, JOB_FILE).made_of(path):
        raise InUse(f"The model {card.id} is being quantised to {made}; wait for that, or cancel it.")
    if path.is_symlink():
        return Removal(card.id, path, is_link=True, bytes=0)
    kept = sum(_kept(entry.path) for entry in folder_tree.walk(path))
    names = tuple(lora.name for lora in card.loras)
    held = card.weight_bytes + sum(
        lora.weight_bytes for lora in card.loras if not Path(lora.path).is_symlink()
    )
    return Removal(card.id, path, is_link=False, bytes=max(0, held - kept), loras=names, keeps_files=kept > 0)


def _kept(file: str) -> int:
    """The bytes of a file that has another name, so that deleting this one frees none of them."""
    path = Path(file)
    try:
        found = path.stat()
        has_another_name = path.is_symlink() or (path.is_file() and found.st_nlink > 1)
    except OSError:  # a link to nowhere, or gone since
        return 0
    return found.st_size if has_another_name else 0

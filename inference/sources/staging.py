"""A model appears whole or not at all: it is made in a hidden folder and renamed when complete."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(target: Path, *, keeps_draft: bool = False) -> Iterator[Path]:
    """Yield an empty hidden folder beside `target`; at a good end it becomes `target`.

    A draft left by an interrupted run is started over, or kept to go on with. FileExistsError when the
    target is there already.
    """
    if target.exists():
        raise FileExistsError(target.name)
    draft = target.parent / f".{target.name}.partial"
    if draft.exists() and not keeps_draft:
        shutil.rmtree(draft)
    draft.mkdir(parents=True, exist_ok=True)
    yield draft
    _sync(draft)
    draft.rename(target)
    _sync_folder(target.parent)


def _sync(folder: Path) -> None:
    """Put every byte on the disk: a rename may otherwise survive a power cut that its files do not."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

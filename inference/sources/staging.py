"""A model appears whole or not at all: it is made in a hidden folder and renamed when complete."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged(target: Path, *, keeps_draft: bool = False) -> Iterator[Path]:
    """Yield a hidden folder beside `target`; at a good end it becomes `target`.

    A draft left by an interrupted run is started over, or kept to go on with. FileExistsError when the
    target is there already, BlockingIOError while another process or thread makes it.
    """
    draft = target.parent / f".{target.name}.partial"
    with _taken(target, draft):
        if not keeps_draft:
            _empty(draft)
        try:
            yield draft
            _sync(draft)
            draft.rename(target)
            _sync_folder(target.parent)
        except BaseException:
            if not keeps_draft:
                shutil.rmtree(draft, ignore_errors=True)
            raise


@contextmanager
def _taken(target: Path, draft: Path) -> Iterator[None]:
    """Hold the draft's lock; the system takes it back from a process that dies."""
    if target.exists():
        raise FileExistsError(target.name)
    draft.mkdir(parents=True, exist_ok=True)
    # Never through a link: what lies behind it is not ours to empty.
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held the lock just before has perhaps renamed or removed this very folder.
        if target.exists() or not _is_open_as(descriptor, draft):
            raise FileExistsError(target.name)
        yield
    finally:
        os.close(descriptor)


def _is_open_as(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


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

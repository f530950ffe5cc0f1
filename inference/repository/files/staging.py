"""A model appears whole or not at all: it is made in a hidden folder and renamed when complete."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inference.repository.files import folder_tree

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")  # of a folder that is made here


def draft_of(target: Path) -> Path:
    """The hidden folder in which `target` is made."""
    return target.parent / f".{target.name}.partial"


@contextmanager
def staged(target: Path, *, keeps_draft: bool = False) -> Iterator[Path]:
    """Yield a hidden folder beside `target`; at a good end it becomes `target`.

    A draft left by an interrupted run is started over, or kept to go on with. FileExistsError when the
    target is there already, BlockingIOError while another process or thread makes it.
    """
    draft = draft_of(target)
    with _taken(target, draft):
        if not keeps_draft:
            _empty(draft)
        try:
            yield draft
            _share(draft)
            _sync(draft)
            draft.rename(target)
            _sync_entry(target.parent)
        except BaseException:
            if not keeps_draft:
                shutil.rmtree(draft, ignore_errors=True)
            raise


def discard(target: Path) -> None:
    """Delete a draft that was left, also beside a target; raises BlockingIOError while it is being made."""
    draft = draft_of(target)
    with held(draft) as descriptor:
        if folder_tree.is_same(descriptor, draft):
            folder_tree.remove(draft)


def is_being_made(target: Path) -> bool:
    """Whether this process or another one holds the lock of the target's draft."""
    try:
        descriptor = os.open(draft_of(target), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Shared: two readers at the same time must not take each other for the maker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def held(draft: Path) -> Iterator[int]:
    """Hold the lock of a draft, which is there; raises BlockingIOError while another process or thread does.

    The system takes it back from a process that dies.
    """
    # Never through a link: what lies behind it is not ours to empty.
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _taken(target: Path, draft: Path) -> Iterator[None]:
    """Make the draft, unless the target is there, and hold its lock."""
    if os.path.lexists(target):  # also a link to nowhere
        raise FileExistsError(target.name)
    draft.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(draft) as descriptor:
        # Whoever held the lock just before has perhaps renamed or removed this very folder.
        if os.path.lexists(target) or not folder_tree.is_same(descriptor, draft):
            raise FileExistsError(target.name)
        yield


def _empty(folder: Path) -> None:
    for entry in folder_tree.entries(folder):
        if entry.is_dir(follow_symlinks=False):
            folder_tree.remove(Path(entry.path))
        else:
            Path(entry.path).unlink(missing_ok=True)


def _share(draft: Path) -> None:
    """Give a model the permissions of the folder it lies in: other programs serve from there as well.

    This process creates private files by default (core/data_folder.py).
    """
    mode = draft.parent.stat().st_mode & 0o777
    for entry in folder_tree.walk(draft):
        if not entry.is_symlink():
            _allow(entry.path, mode & 0o666 | 0o600 if entry.is_file() else mode | 0o700)
    _allow(draft, mode | 0o700)


def _allow(path: str | Path, mode: int) -> None:
    with suppress(PermissionError, FileNotFoundError):  # a disk without modes; what others put there is gone
        os.chmod(path, mode)


def _sync(folder: Path) -> None:
    """Put every byte on the disk: a rename may otherwise survive a power cut that its files do not."""
    for entry in folder_tree.walk(folder):
        # What others put there, such as a file manager's notes, may be gone again by now.
        with suppress(FileNotFoundError):
            if entry.is_file() or entry.is_dir(follow_symlinks=False):
                _sync_entry(entry.path)
    _sync_entry(folder)


def _sync_entry(path: Path | str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

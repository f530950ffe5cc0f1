"""Folders that change while they are read: what vanishes meanwhile is no error.

Downloads rename their drafts, pip empties its temporary folders, operators delete models and disks are taken
out while a walk goes on. pathlib's own walks raise FileNotFoundError then.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any

_GONE = (FileNotFoundError, NotADirectoryError)  # the latter: a file has taken the folder's place
_MOST_TRIES = 100  # at deleting a folder into which others write


def walk(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Everything below a folder, each folder after what is in it; links are yielded and never followed."""
    for entry in entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(Path(entry.path))
        yield entry


def entries(folder: Path) -> list["os.DirEntry[str]"]:
    """What is in a folder, by name; nothing for one that is gone."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except _GONE:
        return []


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder, also while they come and go; what links lead to is not counted."""
    return sum(_size(entry) for entry in walk(folder))


def remove(folder: Path) -> None:
    """Delete a folder with all that is in it, or what others leave of it; links go, not what they lead to.

    Another thread or process may still write into it: what comes meanwhile is deleted, too.
    """
    for _ in range(_MOST_TRIES):
        try:
            return shutil.rmtree(folder, onerror=_unless_gone)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
    shutil.rmtree(folder, onerror=_unless_gone)


def fingerprint(folder: Path) -> int:
    """Changes whenever a file of the folder comes, goes or changes, and when a link leads to another one."""
    here = folder.stat()
    with os.scandir(folder) as entries:
        files = sorted((entry.name, *_state(entry)) for entry in entries)
    return hash((here.st_dev, here.st_ino, *files))


def is_same(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except _GONE:
        return False


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except _GONE:
        return 0
    return found.st_size if S_ISREG(found.st_mode) else 0


def _unless_gone(function: Any, path: str, problem: Any) -> None:
    _, error, _ = problem
    if not isinstance(error, _GONE):
        raise error


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere, or gone since
        return 0, 0
    return found.st_mtime_ns, found.st_size

"""A partially downloaded file: its bytes on disk and their hash."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from inference.core import disk_space
from inference.repository.downloads.errors import Damaged, DiskFull

_READ_BYTES = 2**20
_CHECK_DISK_EVERY_BYTES = 64 * 2**20  # about a second of the fastest networks


@dataclass(frozen=True)
class HubFile:
    """A file as the hub lists it: SHA-256 of a large one, git's own name (SHA-1) of a small one."""

    name: str
    size: int
    sha256: str = ""
    git_name: str = ""

    @property
    def digest(self) -> str:
        return self.sha256 or self.git_name

    def hasher(self) -> "hashlib._Hash":
        if self.sha256:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)


class PartialFile:
    """The beginning of one file, which grows until it is whole.

    Its name contains the hash, so that the rest of another revision is never resumed.
    """

    def __init__(self, folder: Path, file: HubFile) -> None:
        self.file = file
        self._path = folder / self.name_of(file)
        self._target = folder / file.name
        self._disk_checked_at = 0

    def __enter__(self) -> Self:
        self._path.parent.mkdir(exist_ok=True)
        # Never through a link: what lies behind it is not ours to write.
        os.close(os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        self._stream = os.fdopen(descriptor, "r+b", buffering=0)
        self._read_existing()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    @staticmethod
    def name_of(file: HubFile) -> str:
        return f"{file.name}.{file.digest[:16]}.part"

    @property
    def is_whole(self) -> bool:
        return self.size == self.file.size

    def add(self, chunk: bytes) -> None:
        """Append a chunk; raises Damaged beyond the listed size, DiskFull when the disk ran full."""
        if self.size + len(chunk) > self.file.size:
            self._path.unlink()
            raise Damaged(
                f"{self.file.name} is longer than the hub states, and was deleted. Download it again."
            )
        if self.size - self._disk_checked_at >= _CHECK_DISK_EVERY_BYTES:
            self._check_disk()
        view = memoryview(chunk)
        while view:  # a nearly full disk takes less than it is given
            written = self._stream.write(view) or 0
            self._hash.update(view[:written])
            self.size += written
            view = view[written:]

    def restart(self) -> None:
        """Start again with an empty file."""
        self._stream.seek(0)
        self._stream.truncate()
        self._hash, self.size, self._disk_checked_at = self.file.hasher(), 0, 0

    def finish(self) -> None:
        """Give the whole file its name; raises Damaged, and deletes it, when the hash differs."""
        if self._hash.hexdigest() != self.file.digest:
            self._path.unlink()
            raise Damaged(
                f"{self.file.name} does not match the hub's checksum, and was deleted. Download it again."
            )
        self._path.replace(self._target)

    def _check_disk(self) -> None:
        """Raise DiskFull when other programs have filled the disk since the download began."""
        self._disk_checked_at = self.size
        if disk_space.is_full(self._path):
            raise DiskFull(
                f"The disk is full but for the {disk_space.SPARE_BYTES / 10**9:.1f} GB that stay free "
                "for others. Free some space, then download again: the partial files are kept."
            )

    def _read_existing(self) -> None:
        """Count and hash the bytes that an interrupted run left."""
        self._hash, self.size = self.file.hasher(), 0
        while chunk := self._stream.read(_READ_BYTES):
            self._hash.update(chunk)
            self.size += len(chunk)
        if self.size > self.file.size:
            self.restart()


def is_there(folder: Path, file: HubFile) -> bool:
    """Whether the file in the folder is the listed one."""
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size and _digest(path, file) == file.digest


def delete_other(folder: Path, file: HubFile) -> None:
    """Delete a file of this name which `is_there` has found to be another one."""
    path = folder / file.name
    if path.is_file():
        path.unlink()


def _digest(path: Path, file: HubFile) -> str:
    known = file.hasher()
    with path.open("rb") as stream:
        while chunk := stream.read(_READ_BYTES):
            known.update(chunk)
    return known.hexdigest()

"""The file of a backup: a tar archive whose last member lists the others with their sizes and hashes.

An archive that was cut off has no list, and is refused.
"""

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec
from msgspec import Struct

LIST = "backup.json"
_FORMAT = 1
_COMPRESSED = (".gz", ".tgz")
_LONGEST_LIST = 64 * 2**20  # bytes
_BLOCK = 2**20


class BackupError(Exception):
    """A backup could not be made or restored; the message says why and what to do."""


class ArchivedFile(Struct, frozen=True, kw_only=True):
    size: int  # in bytes
    sha256: str


class BackupList(Struct, frozen=True, kw_only=True):
    """What made an archive, and what it has."""

    format: int = _FORMAT
    version: str  # of the site
    created: str  # ISO 8601, UTC
    files: dict[str, ArchivedFile] = {}

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


class _HashingReader:
    """A file that is read once, and what was read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        self._size += len(data)
        return data

    @property
    def seen(self) -> ArchivedFile:
        return ArchivedFile(size=self._size, sha256=self._hash.hexdigest())


def write(file: Path, sources: Iterable[tuple[str, Path]], origin: BackupList) -> BackupList:
    """Write an archive of `sources`, each with its name there, and return its list; raises OSError."""
    files = {}
    mode: Any = "w:gz" if file.name.endswith(_COMPRESSED) else "w"
    with _created(file) as written, tarfile.open(fileobj=written, mode=mode) as archive:
        for name, source in sources:
            with source.open("rb") as content:
                reader = _HashingReader(content)
                archive.addfile(_member(name, source.stat().st_size), reader)
            files[name] = reader.seen
        listed = msgspec.structs.replace(origin, files=files)
        encoded = msgspec.json.encode(listed)
        archive.addfile(_member(LIST, len(encoded)), io.BytesIO(encoded))
    return listed


def unpack(file: Path, folder: Path | None = None) -> BackupList:
    """Read an archive to its end, compare it with its list, and write its files below `folder` if given.

    Raises BackupError for what is no backup, was cut off, or differs from its list.
    """
    seen: dict[str, ArchivedFile] = {}
    listed = None
    with _members(file) as members:
        for name, content in members:
            if listed is not None or name in seen:
                raise BackupError(f"{file} is damaged: {name} is in it twice, or after its list.")
            if name == LIST:
                listed = _decoded(file, content.read(_LONGEST_LIST))
            else:
                seen[name] = _copied(content, folder / name if folder else None)
    if listed is None:
        raise BackupError(f"{file} is incomplete, or not a backup of this site: it has no list of files.")
    wrong = sorted(name for name in {*seen, *listed.files} if seen.get(name) != listed.files.get(name))
    if wrong:
        raise BackupError(f"{file} is damaged: {wrong[0]} is not what was saved.")
    return listed


def _member(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


@contextmanager
def _members(file: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """The names and contents of an archive, in its order; raises BackupError."""
    try:
        with tarfile.open(file, "r|*") as archive:
            yield _checked(file, archive)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BackupError(f"{file} is damaged, or not a backup of this site: {error}.") from None


def _checked(file: Path, archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive:
        path = PurePosixPath(member.name)
        content = archive.extractfile(member) if member.isreg() else None
        if content is None or path.is_absolute() or ".." in path.parts or member.name != str(path):
            raise BackupError(f"{file} is not a backup of this site: it has {member.name!r}.")
        yield member.name, content


def _decoded(file: Path, encoded: bytes) -> BackupList:
    try:
        listed = msgspec.json.decode(encoded, type=BackupList)
    except msgspec.DecodeError as error:
        raise BackupError(f"{file} is damaged, or not a backup of this site: {error}.") from None
    if listed.format != _FORMAT:
        raise BackupError(f"{file} was made by version {listed.version}; restore it with that version.")
    return listed


def _created(file: Path) -> IO[bytes]:
    """A new file that its owner alone can read: it may have the secret key."""
    return open(file, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))


def _copied(content: IO[bytes], target: Path | None) -> ArchivedFile:
    """Read a member to its end, and write it to `target` if there is one."""
    reader = _HashingReader(content)
    if target is None:
        while reader.read(_BLOCK):
            pass
        return reader.seen
    target.parent.mkdir(parents=True, exist_ok=True)
    with _created(target) as copy:
        while block := reader.read(_BLOCK):
            copy.write(block)
    return reader.seen

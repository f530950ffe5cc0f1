"""GGUF files on their way into the folder: they arrive in parts, in a hidden draft, and may be gone on with.

A draft is a folder with the bytes that have come and a note of which file they are of. It outlives the
connection, the page and the site.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from inference.core import disk_space
from inference.core.gguf_import import MOST_BYTES, FileIdentity
from inference.core.units import in_gb_or_mb
from inference.repository.files import folder_tree, staging
from inference.repository.importing.gguf_folder import SUFFIX, is_listed

PART_BYTES = 4 * 2**20
_MOST_DRAFTS = 20
_LONGEST_NAME = 200  # bytes; that of its draft has more
_NOTE, _DATA = "upload.json", "data"
_MAGIC = b"GGUF"
_NS_PER_MS = 10**6
_LATEST_MS = 10**14


class UploadRefused(Exception):
    """A file, or a part of it, is not taken; the message says why and what to do next.

    `field` is what was wrong: its name in a request, or None where nothing that was sent is.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class WrongOffset(UploadRefused):
    """A part does not follow what has arrived."""


class NoUpload(UploadRefused):
    """No upload of this file has begun, or it was discarded."""


class UploadBusy(UploadRefused):
    """Another part of the same file is being written."""


class NoRoom(UploadRefused):
    """The disk has too little space."""


class ModelUpload(FileIdentity, frozen=True, kw_only=True):
    """A file of which `received` bytes have arrived."""

    received: int = 0

    @property
    def is_complete(self) -> bool:
        return self.received == self.size


class ModelUploads:
    """The uploads into one folder; safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[ModelUpload]:
        """The uploads that are not complete, by their names."""
        drafts = [entry.name for entry in folder_tree.entries(self._folder) if entry.name.startswith(".")]
        names = [draft[1:].removesuffix(".partial") for draft in drafts if draft.endswith(".partial")]
        return [found for name in names if is_listed(name) and (found := self._known(name))]

    def open(self, file: FileIdentity) -> ModelUpload:
        """Begin an upload, or go on with one of the same file; raises UploadRefused."""
        _check(file)
        if not self._folder.is_dir():
            raise UploadRefused(
                "The folder for GGUF files is not there; create it, or correct MLX_SERVER_GGUF_DIR."
            )
        if self._is_there(file):
            return ModelUpload(name=file.name, size=file.size, modified=file.modified, received=file.size)
        known = self._known(file.name)
        if known:
            _check_same(known, file)
        self._check_free(file.name)
        if shortage := disk_space.shortage(self._folder, file.size - (known.received if known else 0)):
            raise NoRoom(f"{file.name} {shortage}.")
        if known and known.is_complete:  # and has no place of its own yet
            with _readable_errors(file.name), staging.held(self._draft(file.name)):
                self._finish(known)
        if known:
            return known
        if len(self.all()) >= _MOST_DRAFTS:
            raise UploadRefused(f"{_MOST_DRAFTS} uploads are not complete; finish or discard some of them.")
        with _readable_errors(file.name):
            draft = self._draft(file.name)
            draft.mkdir(exist_ok=True, mode=0o700)
            (draft / _NOTE).write_bytes(msgspec.json.encode(file))
        return ModelUpload(name=file.name, size=file.size, modified=file.modified)

    def append(self, file: FileIdentity, offset: int, part: bytes) -> ModelUpload:
        """Write a part of a file; with the last one the folder lists it. Raises UploadRefused."""
        _check(file)
        if not self._draft(file.name).is_dir():
            raise NoUpload(f"No upload of {file.name} has begun, or it was discarded; begin it again.")
        with _readable_errors(file.name), staging.held(self._draft(file.name)):
            known = self._known(file.name)
            if known is None:
                raise NoUpload(f"No upload of {file.name} has begun, or it was discarded; begin it again.")
            _check_same(known, file)
            if offset != known.received:
                raise WrongOffset(
                    f"{known.received} bytes of {file.name} have arrived; send what follows.", field="offset"
                )
            if not part or offset + len(part) > file.size:
                raise UploadRefused(f"A part of {file.name} is empty, or goes beyond the size of the file.")
            if offset == 0 and not part.startswith(_MAGIC):
                raise UploadRefused(f"{file.name} is not a GGUF file.")
            return self._written(known, part)

    def discard(self, name: str) -> bool:
        """Delete what has arrived of a file; raises UploadBusy while a part is being written."""
        if not is_listed(name) or "/" in name or not self._draft(name).is_dir():
            return False
        with _readable_errors(name):
            staging.discard(self._folder / name)
        return True

    def _written(self, known: ModelUpload, part: bytes) -> ModelUpload:
        if disk_space.is_full(self._folder):
            raise NoRoom(f"The disk has become full; make room, then go on with {known.name}.")
        data = self._draft(known.name) / _DATA
        with data.open("ab") as stream:
            stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())  # acknowledged bytes survive a power cut
        now = msgspec.structs.replace(known, received=known.received + len(part))
        if now.is_complete:
            self._finish(now)
        return now

    def _finish(self, whole: ModelUpload) -> None:
        """Give a file that has arrived its place."""
        self._check_free(whole.name)
        data = self._draft(whole.name) / _DATA
        os.utime(data, ns=(whole.modified * _NS_PER_MS,) * 2)  # by which it is known again
        data.rename(self._folder / whole.name)
        folder_tree.remove(self._draft(whole.name))

    def _draft(self, name: str) -> Path:
        return staging.draft_of(self._folder / name)

    def _known(self, name: str) -> ModelUpload | None:
        """The upload of this name; None where none has begun."""
        draft = self._draft(name)
        try:
            file = msgspec.json.decode((draft / _NOTE).read_bytes(), type=FileIdentity)
        except (OSError, msgspec.DecodeError):
            return None
        try:
            received = (draft / _DATA).stat().st_size
        except OSError:
            received = 0
        return ModelUpload(name=name, size=file.size, modified=file.modified, received=received)

    def _is_there(self, file: FileIdentity) -> bool:
        """Whether all of it has arrived, as far as its size and its time tell."""
        try:
            found = (self._folder / file.name).lstat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns // _NS_PER_MS) == (file.size, file.modified)

    def _check_free(self, name: str) -> None:
        if os.path.lexists(self._folder / name):
            raise UploadRefused(
                f"There is a file {name} already: import that, or rename this one.", field="name"
            )


def _check(file: FileIdentity) -> None:
    """Raise UploadRefused for a name that is no plain file's, or a size that is not taken."""
    is_plain = is_listed(file.name) and not {"/", "\\", ":"} & set(file.name)
    if not is_plain or len(file.name.encode()) > _LONGEST_NAME:
        raise UploadRefused(
            f"{file.name[:200]!r} cannot be the name of a GGUF file here: it has to end with {SUFFIX}, have "
            f"{_LONGEST_NAME} bytes at most, and no slashes, colons or control characters.",
            field="name",
        )
    if not 0 <= file.modified <= _LATEST_MS:
        raise UploadRefused(
            f"The time of {file.name} makes no sense; give milliseconds since 1970.", field="modified"
        )
    if not 0 < file.size <= MOST_BYTES:
        raise UploadRefused(f"{file.name} is empty, or larger than {in_gb_or_mb(MOST_BYTES)}.", field="size")


def _check_same(known: ModelUpload, file: FileIdentity) -> None:
    if (known.size, known.modified) != (file.size, file.modified):
        raise UploadRefused(
            f"{in_gb_or_mb(known.received)} of another file named {known.name} have arrived: discard them "
            "first, or choose that file to go on with it.",
            field="name",
        )


@contextlib.contextmanager
def _readable_errors(name: str) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise UploadBusy(f"Another part of {name} is being written; try again in a moment.") from None
    except FileNotFoundError:
        raise NoUpload(f"The upload of {name} was discarded; begin it again.") from None
    except OSError as error:
        raise NoRoom(f"{name} cannot be written: {error.strerror}.") from None

"""The GGUF files in the folder that the operator names; nothing else of the server is ever opened.

A browser names a file of the list. No path that it sends is opened, and no link leads out of the folder.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.files import folder_tree
from inference.repository.files.gguf import GgufHeader, ImportRefused
from inference.repository.gguf_import import Unsupported, check

SUFFIX = ".gguf"
_MOST_FILES = 500
_NO_FILE = "It is not a file, or it is a link to a file outside the folder."
_NOT_READ = "Its header has not been read yet; reload the page."


class GgufFile(Struct, frozen=True, kw_only=True):
    """One file as its header tells; `problem` is why it cannot be imported."""

    name: str
    bytes: int = 0
    architecture: str = ""
    quantization: str = ""  # the type that most of its bytes have
    problem: str = ""
    is_read: bool = True


class GgufFolder:
    """The files of one folder; safe to use from several threads. Headers are read again after a change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read: dict[str, tuple[tuple[int, ...], GgufFile]] = {}

    def files(self, *, within_s: float = 1.0) -> list[GgufFile]:
        """The files by their names. A header may take seconds: after `within_s` no further one is begun."""
        with self._lock:
            end = time.monotonic() + within_s
            found = [self._file(place, end) for place in self._places()]
            self._read = {file.name: self._read[file.name] for file in found if file.name in self._read}
        return found

    def path_of(self, name: str) -> Path:
        """Where the file of this name is; raises ConversionRefused unless it is one of the list."""
        if found := self._inside(self._place_of(name)):
            return found
        raise ConversionRefused(f"{name} cannot be imported: {_NO_FILE}", field="file")

    def remove(self, name: str) -> None:
        """Delete the file or link of this name; raises ConversionRefused unless it is one of the list."""
        place = self._place_of(name)
        try:
            place.unlink()
        except OSError as error:
            raise ConversionRefused(
                f"The file {name} cannot be deleted: {error.strerror}.", field="file"
            ) from None

    def _place_of(self, name: str) -> Path:
        if place := next((place for place in self._places() if place.name == name), None):
            return place
        raise ConversionRefused(
            f"There is no file {name[:200]!r} in the folder for GGUF files.", field="file"
        )

    def _places(self) -> Iterator[Path]:
        names = [entry.name for entry in folder_tree.entries(self.path) if is_listed(entry.name)]
        return (self.path / name for name in names[:_MOST_FILES])

    def _file(self, place: Path, end: float) -> GgufFile:
        try:
            inside = self._inside(place)
            stat = inside.stat() if inside else None
        except OSError:
            stat = None
        if inside is None or stat is None:
            return GgufFile(name=place.name, problem=_NO_FILE)
        state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        known = self._read.get(place.name)
        if known and known[0] == state:
            return known[1]
        if time.monotonic() > end:
            return GgufFile(name=place.name, bytes=stat.st_size, problem=_NOT_READ, is_read=False)
        file = _described(place.name, inside, stat.st_size)
        self._read[place.name] = (state, file)
        return file

    def _inside(self, place: Path) -> Path | None:
        """The file itself, if it is one in this folder; also behind a link to another one in it."""
        try:
            found = place.resolve(strict=True)
            is_inside = found.parent == self.path.resolve(strict=True)
        except (OSError, RuntimeError):  # a link to nowhere, or to itself
            return None
        return found if is_inside and found.is_file() else None


def is_listed(name: str) -> bool:
    """Whether the folder lists a file of this name."""
    return name.lower().endswith(SUFFIX) and not name.startswith(".") and name.isprintable()


def _described(name: str, place: Path, size: int) -> GgufFile:
    problem = ""
    try:
        header = check(place)
    except Unsupported as error:
        header, problem = error.header, str(error)
    except ImportRefused as error:
        return GgufFile(name=name, bytes=size, problem=str(error))
    return GgufFile(
        name=name,
        bytes=size,
        architecture=header.architecture[:40],
        quantization=_usual_type(header),
        problem=problem,
    )


def _usual_type(header: GgufHeader) -> str:
    sizes: dict[str, int] = {}
    for tensor in header.tensors:
        sizes[tensor.block.name] = sizes.get(tensor.block.name, 0) + tensor.bytes
    return max(sizes, key=lambda kind: sizes[kind])

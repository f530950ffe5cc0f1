"""One file of a client: read whole, changed at once, with its permissions kept."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from inference.connect.errors import FileRefused

_BOM = "\ufeff"
_LARGEST = 4_000_000
_NEW_MODE = 0o600  # it has a key


class ClientFile:
    """A file that may be missing; behind a link it is the one that the link leads to."""

    def __init__(self, path: Path) -> None:
        self.named = path
        try:
            self.path = path.resolve(strict=True) if path.is_symlink() else path
        except (OSError, RuntimeError):
            raise FileRefused(path, "It is a broken link.") from None

    def read(self) -> bytes | None:
        """Its bytes; None where there is no file. Raises FileRefused for what cannot be changed."""
        try:
            state = self.path.stat()
            if not stat.S_ISREG(state.st_mode):
                raise FileRefused(self.named, "It is not a file.")
            if not state.st_mode & stat.S_IWUSR:
                raise FileRefused(self.named, "It is read-only.")
            if state.st_size > _LARGEST:
                raise FileRefused(self.named, "It is too large for a file of settings.")
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileRefused(self.named, f"It cannot be read: {error.strerror or error}.") from None

    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else _NEW_MODE

    def make_folders(self) -> list[str]:
        """Make the folders above it that are missing, and return them, innermost first."""
        missing = [folder for folder in self.path.parents if not folder.exists()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileRefused(
                self.named, (f"Its folder cannot be created: {error.strerror or error}.")
            ) from None
        return [str(folder) for folder in missing]

    def replace(self, content: bytes, mode: int) -> None:
        """Put other bytes into its place at once."""
        replace(self.path, content, mode)


def replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file beside it and give that its name; raises FileRefused."""
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except OSError as error:
        if beside:
            Path(beside).unlink(missing_ok=True)
        raise FileRefused(path, f"It cannot be written: {error.strerror or error}.") from None


def decoded(path: Path, content: bytes) -> tuple[str, str]:
    """The byte order mark that a file begins with, or nothing, and its text; raises FileRefused."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise FileRefused(path, "It is not UTF-8 text.") from None
    return (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

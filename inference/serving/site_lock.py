"""The lock of a data folder: one site serves from it at a time, and the lock file says where it listens."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from inference.repository.files import folder_tree

_NAME = "serving"
_TRIES, _PAUSE_S = 20, 0.05  # readers hold the lock too, for an instant


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """A running site; port 0 until it listens."""

    pid: int
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"at {url(self.host, self.port)}, process {self.pid}" if self.port else f"process {self.pid}"


class ServedAlready(Exception):
    """Another site serves from this folder."""

    def __init__(self, other: Serving | None) -> None:
        super().__init__("another process" if other is None else str(other))


class LockUnusable(Exception):
    """The lock file cannot be opened or locked: the message names it and the reason."""


class SiteLock:
    """This process's lock on a data folder."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._write(Serving(pid=os.getpid()))

    def listens(self, host: str, port: int) -> None:
        """Write the address, so that commands for this folder find the site."""
        self._write(Serving(pid=os.getpid(), host=host, port=port))

    def _write(self, serving: Serving) -> None:
        # In one write and longer each time, so that a reader never sees a mixture.
        os.pwrite(self._descriptor, msgspec.json.encode(serving), 0)


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[SiteLock]:
    """Hold the folder's lock; raises ServedAlready while another process does, or LockUnusable.

    The system frees the lock however this process ends.
    """
    path = data_dir / _NAME
    descriptor = _acquire(path)
    try:
        yield SiteLock(descriptor)
    finally:
        path.unlink(missing_ok=True)  # while it is ours
        os.close(descriptor)


def running_site(data_dir: Path) -> Serving | None:
    """The site that serves from the folder now; the file of a killed one does not count."""
    try:
        descriptor = os.open(data_dir / _NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _acquire(path: Path) -> int:
    other = None
    for _ in range(_TRIES):
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder_tree.is_same(descriptor, path):  # the previous holder removes it at its end
                os.ftruncate(descriptor, 0)
                return descriptor
        except BlockingIOError:
            other = _read(descriptor)
        os.close(descriptor)
        time.sleep(_PAUSE_S)
    raise ServedAlready(other)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LockUnusable(f"{path} cannot be opened: {error.strerror}") from None


def _read(descriptor: int) -> Serving | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Serving)
    except msgspec.DecodeError:  # it has only just begun
        return None

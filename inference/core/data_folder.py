"""The data folder: its database, and permissions that keep what it contains private."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISVTX

DATABASE = "site.sqlite3"
_FILES = (
    *(DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"),
    *(".env", "secret_key", "admin_password", "serving", "cpu-calibration.json", "cpu-calibration.lock"),
)
_FOLDERS = ("prefixes", "log")
_OTHERS = 0o077
# If an operator names one of these, its other contents keep their permissions.
_SHARED = frozenset({Path("/"), Path(os.path.expanduser("~")).resolve()})


def create_private_files() -> None:
    """Set the umask, so that this process and its children create files for their owner only."""
    os.umask(_OTHERS)


def make_private(data_dir: Path) -> None:
    """Remove the permissions of other users, from an earlier version, another program or an operator's mkdir.

    Files of another user stay as they are, and `shared_paths` lists them. So does a folder like /tmp.
    """
    for path, mode in _places(data_dir):
        with suppress(OSError):
            found = path.stat().st_mode
            if found & _OTHERS and not found & S_ISVTX and path.resolve() not in _SHARED:
                path.chmod(mode)


def shared_paths(data_dir: Path) -> list[str]:
    """The files and folders that other users of this machine may read or change, each with its mode."""
    found = []
    for path, _ in _places(data_dir):
        with suppress(OSError):
            mode = S_IMODE(path.stat().st_mode)
            if mode & _OTHERS:
                found.append(f"{path} ({mode:04o})")
    return found


def _places(data_dir: Path) -> Iterator[tuple[Path, int]]:
    yield data_dir, 0o700
    yield from ((data_dir / name, 0o600) for name in _FILES)
    yield from ((data_dir / name, 0o700) for name in _FOLDERS)

"""How much may be written to a disk: its last gigabyte stays free, for the database and other programs.

Long writes check again and again, because other programs write as well and nothing reserves the space.
"""

import contextlib
import shutil
from pathlib import Path

SPARE_BYTES = 10**9
_GB = 10**9


def shortage(place: Path, needed: int) -> str:
    """Why `needed` more bytes cannot be written at `place`, which need not exist; empty when they can."""
    there = free(place)
    if needed + SPARE_BYTES <= there:
        return ""
    return (
        f"needs {needed / _GB:.1f} GB and the disk has {there / _GB:.1f} GB free, of which "
        f"{SPARE_BYTES / _GB:.1f} GB stay free for others; make room first"
    )


def is_full(place: Path) -> bool:
    """Whether nothing more should be written there."""
    return free(place) < SPARE_BYTES


def free(place: Path) -> int:
    """Bytes free where `place` is, or would be; it may come and go meanwhile."""
    for folder in (place, *place.parents):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return shutil.disk_usage(folder).free
    return 0

"""One prefix on the disk: what its file says about it."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens, common_length
from inference.worker.prefix_cache.stored_prefix import FrozenPrefix

_LONGEST_HEADER = 64 * 2**20


@dataclass(frozen=True)
class SavedPrefix:
    """One prefix on disk, as the index has it, without its arrays."""

    path: Path
    owner: str
    tokens: Tokens
    is_trimmable: bool
    bytes: int


def metadata(entry: FrozenPrefix | PrefixEntry) -> dict[str, str]:
    """The metadata of the file of an entry."""
    return {
        "owner": entry.owner,
        "tokens": base64.b64encode(entry.tokens.tobytes()).decode(),
        "is_trimmable": "yes" if entry.is_trimmable else "no",
    }


def read_header(path: Path) -> SavedPrefix | None:
    """The index entry of a file; a file with an invalid header is deleted and gives None."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size < _LONGEST_HEADER else {}
        own = header["__metadata__"]
        tokens = np.frombuffer(base64.b64decode(own["0.tokens"]), dtype=np.int32)
        return SavedPrefix(path, own["0.owner"], tokens, own["0.is_trimmable"] == "yes", path.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return None


def covers(entry: FrozenPrefix | PrefixEntry, saved: SavedPrefix) -> bool:
    """Whether the entry makes the saved prefix superfluous."""
    is_beginning = common_length(saved.tokens, entry.tokens) == len(saved.tokens)
    return saved.owner == entry.owner and is_beginning and entry.is_trimmable

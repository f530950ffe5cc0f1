"""Prefixes on disk: a conversation's KV caches outlive the model's unloading and the site's restart.

One safetensors file for each prefix, written beside its name and renamed when whole, readable by the
site's own user only, oldest use first to go. Off unless MLX_SERVER_PREFIX_DISK says how much.
"""

import base64
import contextlib
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import load_prompt_cache, save_prompt_cache

from inference.worker.prefixes import Entry, Tokens, common_length

logger = logging.getLogger(__name__)
_SUFFIX = ".safetensors"
_LONGEST_HEADER = 64 * 2**20


@dataclass(frozen=True)
class Saved:
    """One prefix on disk, known without reading its arrays."""

    path: Path
    owner: str
    tokens: Tokens
    is_trimmable: bool
    bytes: int


class Spill:
    """The saved prefixes of one model in `folder`, never more than `limit` bytes together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in folder.glob("*.partial*"):
            draft.unlink(missing_ok=True)
        found = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        self._saved = [saved for path in found if (saved := _read_header(path))]

    @property
    def bytes(self) -> int:
        return sum(saved.bytes for saved in self._saved)

    def longer(self, owner: str, wanted: Tokens, *, than: int) -> Entry | None:
        """The saved prefix that stands for most of the tokens `wanted`, if for more `than` so many."""
        best, length = None, than
        for saved in self._saved:
            common = common_length(saved.tokens, wanted) if saved.owner == owner else 0
            if common > length and (saved.is_trimmable or common == len(saved.tokens)):
                best, length = saved, common
        return self._read(best) if best else None

    def _read(self, saved: Saved) -> Entry | None:
        """The prefix with its caches; None, and the file is gone, when it cannot be read."""
        try:
            os.utime(saved.path)
            cache = load_prompt_cache(str(saved.path))
            mx.eval([layer.state for layer in cache])
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            logger.warning("Dropping a saved prefix that cannot be read: %s", error)
            self._forget(saved)
            return None
        self._saved.remove(saved)
        self._saved.append(saved)
        return Entry(saved.owner, saved.tokens, cache, sum(layer.nbytes for layer in cache), is_saved=True)

    def write(self, entry: Entry) -> None:
        """Save one prefix in the place of those that are only its beginning; a full disk is no failure."""
        entry.is_saved = True
        if entry.bytes > self._limit:
            return
        name = hashlib.sha256(entry.owner.encode() + b"\0" + entry.tokens.tobytes()).hexdigest()[:32]
        path, draft = self._folder / f"{name}{_SUFFIX}", self._folder / f"{name}.partial{_SUFFIX}"
        try:
            save_prompt_cache(str(draft), entry.cache, _metadata(entry))
            draft.chmod(0o600)
            draft.replace(path)
        except (OSError, RuntimeError) as error:
            logger.warning("Cannot save a prefix: %s", error)
            draft.unlink(missing_ok=True)
            return
        for saved in [saved for saved in self._saved if saved.path != path and _covers(entry, saved)]:
            self._forget(saved)
        self._saved = [saved for saved in self._saved if saved.path != path]
        self._saved.append(Saved(path, entry.owner, entry.tokens, entry.is_trimmable, path.stat().st_size))
        self._trim()

    def _trim(self) -> None:
        while self._saved and self.bytes > self._limit:
            self._forget(self._saved[0])

    def _forget(self, saved: Saved) -> None:
        self._saved.remove(saved)
        with contextlib.suppress(OSError):
            saved.path.unlink()


def folder_for(root: Path, model_folder: Path, device: str) -> Path:
    """Where this model's prefixes are: another one after any change of its files or its device."""
    state = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(model_folder.iterdir())
    ]
    key = json.dumps([str(model_folder), device, state])
    return root / hashlib.sha256(key.encode()).hexdigest()[:24]


def _metadata(entry: Entry) -> dict[str, str]:
    return {
        "owner": entry.owner,
        "tokens": base64.b64encode(entry.tokens.tobytes()).decode(),
        "is_trimmable": "yes" if entry.is_trimmable else "no",
    }


def _read_header(path: Path) -> Saved | None:
    """What a file says of itself, without its arrays; None, and the file is gone, when that is nonsense."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size < _LONGEST_HEADER else {}
        own = header["__metadata__"]
        tokens = np.frombuffer(base64.b64decode(own["0.tokens"]), dtype=np.int32)
        return Saved(path, own["0.owner"], tokens, own["0.is_trimmable"] == "yes", path.stat().st_size)
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink(missing_ok=True)
        return None


def _covers(entry: Entry, saved: Saved) -> bool:
    is_beginning = common_length(saved.tokens, entry.tokens) == len(saved.tokens)
    return saved.owner == entry.owner and is_beginning and entry.is_trimmable

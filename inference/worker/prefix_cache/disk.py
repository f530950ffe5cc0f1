"""The disk tier of the prefix cache: prefixes survive an unload of the model and a restart of the site.

Each prefix is one safetensors file of mlx-lm's `save_prompt_cache`, with its owner and its tokens in the
metadata. A lookup uses an index of these headers in memory and reads no arrays:

1. `find_longer` compares a prompt with the tokens of its owner's files.
2. `submit_read` loads the best file on the disk thread and hands its entry back.

A file is written under a temporary name and renamed when it is complete. Only the site's user can read it.
The least recently used files are deleted first (the time of use is the file's mtime). The tier is off unless
MLX_SERVER_PREFIX_DISK sets its size.
"""

import contextlib
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib.metadata import version
from pathlib import Path

import mlx.core as mx
from mlx_lm.models.cache import load_prompt_cache, save_prompt_cache

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens, common_length
from inference.worker.prefix_cache.layers import can_be_saved
from inference.worker.prefix_cache.saved_prefix import SavedPrefix, covers, metadata, read_header

logger = logging.getLogger(__name__)
_SUFFIX = ".safetensors"


class DiskTier:
    """The saved prefixes of one model in `folder`, of `limit` bytes together at most.

    Files are read and written on the disk thread, so that no running sequence waits for the disk. Raises
    OSError if the folder cannot be made or read.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._io = ThreadPoolExecutor(1, thread_name_prefix="prefix disk")
        self._pending: set[Future[None]] = set()
        self._lock = threading.Lock()  # guards the index; not held while a file is read or written
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in folder.glob("*.partial*"):
            draft.unlink(missing_ok=True)
        found = sorted(folder.glob(f"*{_SUFFIX}"), key=_used_at)
        self._saved = [saved for path in found if (saved := read_header(path))]

    @property
    def bytes(self) -> int:
        return sum(saved.bytes for saved in self._saved)

    def find_longer(self, owner: str, prompt: Tokens, *, than: int) -> SavedPrefix | None:
        """The saved prefix that covers the most tokens of `prompt`, if more `than` so many; else None."""
        best, length = None, than
        with self._lock:
            for saved in self._saved:
                common = common_length(saved.tokens, prompt) if saved.owner == owner else 0
                if common > length and (saved.is_trimmable or common == len(saved.tokens)):
                    best, length = saved, common
        return best

    def submit_read(self, saved: SavedPrefix, then: Callable[[PrefixEntry | None], None]) -> None:
        """Read a prefix on the disk thread, which calls `then` with it, or with None if it is unreadable."""
        self._submit(lambda: then(self.read(saved)))

    def submit_write(self, entry: PrefixEntry) -> None:
        """Write an entry on the disk thread."""
        entry.is_saved = True
        self._submit(lambda: self.write(entry))

    def wait(self, timeout_s: float) -> None:
        """Wait until all submitted reads and writes are done, for `timeout_s` seconds at most."""
        wait(set(self._pending), timeout_s)

    def read(self, saved: SavedPrefix) -> PrefixEntry | None:
        """The prefix with its caches; an unreadable file is deleted and gives None."""
        try:
            os.utime(saved.path)
            cache = load_prompt_cache(str(saved.path))
            mx.eval([layer.state for layer in cache])
            size = sum(layer.nbytes for layer in cache)
        except Exception as error:  # perhaps another mlx-lm has written it; the prefix is computed again
            logger.warning("Dropping a saved prefix that cannot be read: %r", error)
            self._forget(saved)
            return None
        with self._lock:
            self._saved = [*(one for one in self._saved if one is not saved), saved]
        return PrefixEntry(saved.owner, saved.tokens, cache, size, is_saved=True, can_trim=saved.is_trimmable)

    def write(self, entry: PrefixEntry) -> None:
        """Save one prefix in place of those it covers; does not raise when the disk is full."""
        entry.is_saved = True
        if entry.bytes > self._limit or not can_be_saved(entry.cache):
            return
        name = hashlib.sha256(entry.owner.encode() + b"\0" + entry.tokens.tobytes()).hexdigest()[:32]
        path, draft = self._folder / f"{name}{_SUFFIX}", self._folder / f"{name}.partial{_SUFFIX}"
        try:
            save_prompt_cache(str(draft), entry.cache, metadata(entry))
            draft.chmod(0o600)
            draft.replace(path)
            size = path.stat().st_size
        except Exception as error:  # a prefix that is not saved is computed again
            logger.warning("Cannot save a prefix: %r", error)
            draft.unlink(missing_ok=True)
            return
        self._index(SavedPrefix(path, entry.owner, entry.tokens, entry.is_trimmable, size), entry)

    def _index(self, written: SavedPrefix, entry: PrefixEntry) -> None:
        """Put a new file into the index; delete those it covers, and old ones beyond the limit."""
        with self._lock:
            others = [saved for saved in self._saved if saved.path != written.path]
            covered = [saved for saved in others if covers(entry, saved)]
            kept = [*(saved for saved in others if saved not in covered), written]
            excess = sum(saved.bytes for saved in kept) - self._limit
            while kept and excess > 0:
                covered.append(kept.pop(0))
                excess -= covered[-1].bytes
            self._saved = kept
        for saved in covered:
            _delete(saved.path)

    def _forget(self, saved: SavedPrefix) -> None:
        with self._lock:
            self._saved = [one for one in self._saved if one is not saved]
        _delete(saved.path)

    def _submit(self, work: Callable[[], None]) -> None:
        pending = self._io.submit(work)
        self._pending.add(pending)
        pending.add_done_callback(self._pending.discard)


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _used_at(path: Path) -> float:
    """When a file was last used; 0 for one that has been deleted."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def folder_for(root: Path, model_folder: Path, device: str) -> Path:
    """The folder of this model's prefixes, another one after a change of its files, device or mlx-lm."""
    state = [(path.name, *_state(path)) for path in sorted(model_folder.iterdir())]
    versions = [version("mlx"), version("mlx-lm")]
    key = json.dumps([str(model_folder), device, versions, state])
    return root / hashlib.sha256(key.encode()).hexdigest()[:24]


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # a link to nowhere
        return 0, 0
    return found.st_size, found.st_mtime_ns

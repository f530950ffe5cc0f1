"""The disk tier of the prefix cache: prefixes survive an unload of the model and a restart of the site.

Each prefix is one safetensors file of mlx-lm's `save_prompt_cache`, with its owner and its tokens in the
metadata. A lookup uses an index of these headers in memory and reads no arrays:

1. `find_longer` follows a prompt through the tree of its owner's files (saved_index.py).
2. `submit_read` loads the best file on the reading thread and hands its entry back, or nothing if that takes
   too long: the prompt is then computed.

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

from inference.worker.prefix_cache.entry import PrefixEntry, Tokens
from inference.worker.prefix_cache.layers import can_be_saved
from inference.worker.prefix_cache.saved_index import SavedIndex
from inference.worker.prefix_cache.saved_prefix import SavedPrefix, covers, metadata, read_header
from inference.worker.prefix_cache.stored_prefix import FrozenPrefix, StoredPrefix

logger = logging.getLogger(__name__)
_SUFFIX = ".safetensors"
_READ_LIMIT_S = 10.0  # a disk that hangs must not hold up a prompt for ever
_SLOWEST_BYTES_PER_S = 50 * 2**20  # a disk that reads so fast does not hang


class DiskTier:
    """The saved prefixes of one model in `folder`, of `limit` bytes together at most.

    Files are read and written on two threads of their own, so that no running sequence waits for the disk,
    and no read for a long write. Raises OSError if the folder cannot be made or read.
    """

    def __init__(self, folder: Path, limit: int, read_limit_s: float | None = None) -> None:
        self._folder = folder
        self._limit = limit
        self._read_limit_s = _READ_LIMIT_S if read_limit_s is None else read_limit_s
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="prefix disk read")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="prefix disk write")
        self._writes: set[Future[None]] = set()
        self._is_hanging = False  # a read was given up and is not done yet
        self._lock = threading.Lock()  # guards the index; not held while a file is read or written
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for draft in folder.glob("*.partial*"):
            draft.unlink(missing_ok=True)
        self._index = SavedIndex()
        for path in sorted(folder.glob(f"*{_SUFFIX}"), key=_used_at):
            if saved := read_header(path):
                self._index.add(saved)

    @property
    def bytes(self) -> int:
        return self._index.bytes

    @property
    def is_writing(self) -> bool:
        """Whether a submitted write is not done yet."""
        return bool(self._writes)

    def find_longer(self, owner: str, prompt: Tokens, *, than: int) -> SavedPrefix | None:
        """The saved prefix that covers the most tokens of `prompt`, if more `than` so many; else None.

        There is none while the disk hangs.
        """
        if self._is_hanging:
            return None
        with self._lock:
            return self._index.find_longer(owner, prompt, than=than)

    def submit_read(self, saved: SavedPrefix, then: Callable[[PrefixEntry | None], None]) -> None:
        """Read a prefix on the reading thread, which calls `then` with it, or with None if it is unreadable.

        If it takes too long, `then` is called with None first, on a thread of its own.
        """

        def give_up() -> None:
            self._is_hanging = True
            then(None)

        limit = threading.Timer(self._read_limit_s + saved.bytes / _SLOWEST_BYTES_PER_S, give_up)
        limit.daemon = True
        limit.start()

        def read() -> None:
            entry = self.read(saved)
            limit.cancel()
            self._is_hanging = False
            then(entry)

        self._reading.submit(read)

    def submit_write(self, entry: StoredPrefix | PrefixEntry) -> None:
        """Write an entry on the writing thread."""
        entry.is_saved = True
        frozen = entry if isinstance(entry, PrefixEntry) else entry.frozen()
        pending = self._writing.submit(self._write, frozen)
        self._writes.add(pending)
        pending.add_done_callback(self._writes.discard)

    def wait(self, timeout_s: float) -> None:
        """Wait until all submitted writes are done, for `timeout_s` seconds at most."""
        wait(set(self._writes), timeout_s)

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
            self._index.touch(saved)
        return PrefixEntry(saved.owner, saved.tokens, cache, size, is_saved=True, can_trim=saved.is_trimmable)

    def write(self, entry: StoredPrefix | PrefixEntry) -> None:
        """Save one prefix in place of those it covers; does not raise when the disk is full."""
        entry.is_saved = True
        self._write(entry if isinstance(entry, PrefixEntry) else entry.frozen())

    def _write(self, entry: FrozenPrefix | PrefixEntry) -> None:
        cache = entry.cache
        if entry.bytes > self._limit or not can_be_saved(cache):
            return
        name = hashlib.sha256(entry.owner.encode() + b"\0" + entry.tokens.tobytes()).hexdigest()[:32]
        path, draft = self._folder / f"{name}{_SUFFIX}", self._folder / f"{name}.partial{_SUFFIX}"
        try:
            save_prompt_cache(str(draft), cache, metadata(entry))
            draft.chmod(0o600)
            draft.replace(path)
            size = path.stat().st_size
        except Exception as error:  # a prefix that is not saved is computed again
            logger.warning("Cannot save a prefix: %r", error)
            draft.unlink(missing_ok=True)
            return
        self._enter(SavedPrefix(path, entry.owner, entry.tokens, entry.is_trimmable, size), entry)

    def _enter(self, written: SavedPrefix, entry: FrozenPrefix | PrefixEntry) -> None:
        """Put a new file into the index; delete those it covers, and old ones beyond the limit."""
        superfluous: list[SavedPrefix] = []
        with self._lock:
            for saved in self._index.along(entry.owner, entry.tokens):
                if saved.path != written.path and covers(entry, saved):
                    superfluous.append(saved)
                    self._index.remove(saved)
            self._index.add(written)
            while self._index.bytes > self._limit and (oldest := self._index.oldest):
                superfluous.append(oldest)
                self._index.remove(oldest)
        for saved in superfluous:
            _delete(saved.path)

    def _forget(self, saved: SavedPrefix) -> None:
        with self._lock:
            self._index.remove(saved)
        _delete(saved.path)


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _used_at(path: Path) -> float:
    """When a file was last used; 0 for one that has been deleted."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def folder_for(root: Path, model_folder: Path, device: str, kv_bits: int = 0) -> Path:
    """The folder of this model's prefixes, another one if its files, device, bits or mlx-lm change."""
    state = [(path.name, *_state(path)) for path in sorted(model_folder.iterdir())]
    versions = [version("mlx"), version("mlx-lm"), *([f"kv{kv_bits}"] if kv_bits else [])]
    key = json.dumps([str(model_folder), device, versions, state])
    return root / hashlib.sha256(key.encode()).hexdigest()[:24]


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # a link to nowhere
        return 0, 0
    return found.st_size, found.st_mtime_ns

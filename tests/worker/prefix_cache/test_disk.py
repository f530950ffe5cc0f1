"""Prefixes on disk: found after a restart, by their owner only, bounded, and never trusted blindly."""

import queue
import threading
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import KVCache

from inference.worker.prefix_cache import disk as disk_module
from inference.worker.prefix_cache.cache import CachedPrefix, PrefixCache
from inference.worker.prefix_cache.disk import DiskTier, folder_for
from inference.worker.prefix_cache.entry import PrefixEntry
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.mlx
MB = 2**20


def kv(length: int) -> list[Any]:
    cache = KVCache()
    values = mx.random.normal((1, 2, length, 64))
    cache.keys, cache.values, cache.offset = values, values + 1, length
    return [cache, cache]


def numbers(length: int, start: int = 0) -> list[int]:
    return list(range(start, start + length))


def saved(folder: Path, *prompts: list[int], owner: str = "me", limit: int = 10 * MB) -> DiskTier:
    disk = DiskTier(folder, limit)
    prefix_cache = PrefixCache(10 * MB, disk)
    for prompt in prompts:
        prefix_cache.store(owner, prompt, kv(len(prompt)))
        entry = prefix_cache.unsaved
        assert entry
        disk.write(entry)
    return disk


def found_length(folder: Path, prompt: list[int], owner: str = "me") -> int:
    """What a process that starts now finds."""
    found = restored(folder, prompt, owner)
    return found.length if found else 0


def restored(folder: Path, prompt: list[int], owner: str = "me") -> CachedPrefix | None:
    disk = DiskTier(folder, 10 * MB)
    prefix_cache = PrefixCache(10 * MB, disk)
    if (saved := prefix_cache.find_on_disk(owner, prompt)) and (entry := disk.read(saved)):
        prefix_cache.restore(entry)
    return prefix_cache.lookup(owner, prompt)


def test_a_prefix_survives_the_process(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40))
    assert found_length(tmp_path, numbers(60)) == 40
    assert found_length(tmp_path, numbers(30) + [7, 7]) == 30


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    disk = DiskTier(tmp_path, 10 * MB)
    prefix_cache, cache = PrefixCache(10 * MB, disk), kv(40)
    prefix_cache.store("me", numbers(40), cache)
    disk.write(prefix_cache.entries[0])
    found = restored(tmp_path, numbers(60))
    assert found and mx.array_equal(found.cache[1].values[..., :40, :], cache[1].values)


def test_nobody_finds_anothers(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40))
    assert found_length(tmp_path, numbers(60), owner="you") == 0


def test_a_longer_chat_takes_the_place_of_its_beginning(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40), numbers(60))
    assert len(list(tmp_path.iterdir())) == 1
    assert found_length(tmp_path, numbers(70)) == 60


def test_it_stays_below_its_limit_and_the_oldest_go(tmp_path: Path) -> None:
    disk = saved(tmp_path, *(numbers(500, start=1000 * i) for i in range(4)), limit=3 * MB)
    assert 0 < disk.bytes <= 3 * MB
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == disk.bytes
    assert found_length(tmp_path, numbers(600)) == 0
    assert found_length(tmp_path, numbers(600, start=3000)) == 500


def test_files_are_the_sites_own_to_read(tmp_path: Path) -> None:
    saved(tmp_path / "new", numbers(40))
    (file,) = (tmp_path / "new").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("damage", ["empty", "cut", "nonsense", "draft"])
def test_a_damaged_file_is_dropped_and_nothing_else_suffers(tmp_path: Path, damage: str) -> None:
    saved(tmp_path, numbers(40))
    healthy = set(tmp_path.iterdir())
    saved(tmp_path, numbers(40, start=500))
    (victim,) = set(tmp_path.iterdir()) - healthy
    whole = victim.read_bytes()
    if damage == "draft":
        victim.rename(victim.with_suffix(".partial.safetensors"))
    else:
        victim.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "nonsense": b"x" * 99}[damage])
    assert found_length(tmp_path, numbers(60, start=500)) == 0
    assert found_length(tmp_path, numbers(60)) == 40
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_to_is_no_failure(tmp_path: Path) -> None:
    disk = DiskTier(tmp_path / "gone", 10 * MB)
    prefix_cache = PrefixCache(10 * MB, disk)
    prefix_cache.store("me", numbers(40), kv(40))
    (tmp_path / "gone").rmdir()
    disk.write(prefix_cache.entries[0])
    assert prefix_cache.unsaved is None and disk.bytes == 0


def test_a_changed_model_has_another_folder(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "model")
    before = folder_for(tmp_path, model, "cpu")
    assert before == folder_for(tmp_path, model, "cpu") != folder_for(tmp_path, model, "gpu")
    make_tiny_model(model, seed=1)
    assert folder_for(tmp_path, model, "cpu") != before


def test_a_model_with_other_bits_has_another_folder(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "model")
    folders = {folder_for(tmp_path, model, "cpu", bits) for bits in (0, 4, 8)}
    assert len(folders) == 3 and folder_for(tmp_path, model, "cpu") in folders


def test_another_mlx_lm_has_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_tiny_model(tmp_path / "model")
    before = folder_for(tmp_path, model, "cpu")
    monkeypatch.setattr(disk_module, "version", lambda name: "99")
    assert folder_for(tmp_path, model, "cpu") != before


def test_a_link_to_nowhere_among_the_models_files_is_no_failure(tmp_path: Path) -> None:
    model = make_tiny_model(tmp_path / "model")
    (model / "link").symlink_to(tmp_path / "nowhere")
    assert folder_for(tmp_path, model, "cpu").parent == tmp_path


class Unwritable(KVCache):  # type: ignore[misc]  # mlx-lm is not typed
    """A cache whose state cannot be written, or that cannot be asked for it at all."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.keys = self.values = mx.zeros((1, 2, 40, 64))
        self.offset = 40
        self.error = error

    @property
    def state(self) -> Any:
        if self.error:
            raise self.error
        return self.keys, self.values, object()


@pytest.mark.parametrize("error", [None, ValueError("no"), TypeError("no"), MemoryError(), KeyError("no")])
def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path, error: Exception | None) -> None:
    disk, layer = DiskTier(tmp_path, 10 * MB), Unwritable(error)
    layer.__class__.__name__ = "KVCache"
    entry = PrefixEntry("me", np.arange(40, dtype=np.int32), [layer], 100)
    disk.write(entry)
    assert entry.is_saved and disk.bytes == 0 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["fewer arrays", "no scalars", "a class that is gone"])
def test_a_file_of_another_mlx_lm_is_dropped(tmp_path: Path, damage: str) -> None:
    saved(tmp_path, numbers(40))
    (path,) = tmp_path.iterdir()
    arrays, metadata = mx.load(str(path), return_metadata=True)
    assert isinstance(arrays, dict) and isinstance(metadata, dict)
    if damage == "a class that is gone":
        metadata = {name: "OldKVCache" if text == "KVCache" else text for name, text in metadata.items()}
    if damage == "fewer arrays":
        arrays = dict(list(arrays.items())[:2])
    if damage == "no scalars":
        metadata = {name: text for name, text in metadata.items() if not name.startswith("2.")}
    mx.save_safetensors(str(path), arrays, metadata)
    assert found_length(tmp_path, numbers(60)) == 0
    assert not list(tmp_path.iterdir())


def test_files_are_read_and_written_on_a_thread_of_their_own(tmp_path: Path) -> None:
    disk = DiskTier(tmp_path, 10 * MB)
    prefix_cache = PrefixCache(10 * MB, disk)
    prefix_cache.store("me", numbers(40), kv(40))
    disk.submit_write(prefix_cache.entries[0])
    disk.wait(30)
    read: queue.Queue[tuple[str, PrefixEntry | None]] = queue.Queue()
    saved_one = disk.find_longer("me", np.arange(60, dtype=np.int32), than=0)
    assert saved_one
    disk.submit_read(saved_one, lambda entry: read.put((threading.current_thread().name, entry)))
    thread, entry = read.get(timeout=30)
    assert thread.startswith("prefix disk") and entry and len(entry.tokens) == 40
    # What was read there is used here.
    assert mx.array_equal(entry.cache[0].keys[..., :40, :] * 1, kv_of(prefix_cache)[..., :40, :])


def kv_of(prefix_cache: PrefixCache) -> Any:
    return prefix_cache.entries[0].cache[0].keys


def test_a_prefix_of_several_parts_is_written_and_read_as_one(tmp_path: Path) -> None:
    disk = DiskTier(tmp_path, 10 * MB)
    prefix_cache, cache = PrefixCache(10 * MB, disk), kv(60)
    prefix_cache.store("me", numbers(40), [trimmed(layer, 40) for layer in cache])
    prefix_cache.store("me", numbers(60), cache)
    assert len(prefix_cache.entries[0].node.path) == 2
    disk.submit_write(prefix_cache.entries[0])
    disk.wait(30)
    found = restored(tmp_path, numbers(80))
    assert found and found.length == 60
    assert mx.array_equal(found.cache[1].values[..., :60, :], cache[1].values)


def trimmed(layer: Any, length: int) -> Any:
    shorter = KVCache()
    shorter.keys, shorter.values = layer.keys[..., :length, :], layer.values[..., :length, :]
    shorter.offset = length
    return shorter


class HangingDisk(DiskTier):
    """A disk that does not answer before `answers` is set."""

    def __init__(self, folder: Path, limit: int, read_limit_s: float = 0.05) -> None:
        super().__init__(folder, limit, read_limit_s)
        self.answers = threading.Event()
        self.hangs_reading = True

    def read(self, saved: Any) -> PrefixEntry | None:
        if self.hangs_reading:
            self.answers.wait(60)
        return super().read(saved)

    def _write(self, entry: Any) -> None:
        self.answers.wait(60)
        super()._write(entry)


def test_a_read_that_takes_too_long_is_given_up_and_its_prefix_is_taken_later(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40))
    disk = HangingDisk(tmp_path, 10 * MB)
    read: queue.Queue[PrefixEntry | None] = queue.Queue()
    found = disk.find_longer("me", np.arange(60, dtype=np.int32), than=0)
    assert found
    disk.submit_read(found, read.put)
    assert read.get(timeout=30) is None
    assert disk.find_longer("me", np.arange(60, dtype=np.int32), than=0) is None  # nobody else waits for it
    disk.answers.set()
    assert read.get(timeout=30)
    assert disk.find_longer("me", np.arange(60, dtype=np.int32), than=0)


def test_a_read_in_time_is_handed_over_once(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40))
    disk = DiskTier(tmp_path, 10 * MB, read_limit_s=60)
    read: queue.Queue[PrefixEntry | None] = queue.Queue()
    found = disk.find_longer("me", np.arange(60, dtype=np.int32), than=0)
    assert found
    before = threading.enumerate()
    disk.submit_read(found, read.put)
    assert read.get(timeout=30)
    for thread in set(threading.enumerate()) - set(before):
        if isinstance(thread, threading.Timer):
            thread.join(30)
            assert not thread.is_alive()


def test_a_read_does_not_wait_for_a_write(tmp_path: Path) -> None:
    saved(tmp_path, numbers(40))
    disk = HangingDisk(tmp_path, 10 * MB, read_limit_s=60)
    disk.submit_write(PrefixEntry("me", np.arange(50, 90, dtype=np.int32), kv(40), 100))
    disk.hangs_reading = False
    read: queue.Queue[PrefixEntry | None] = queue.Queue()
    found = disk.find_longer("me", np.arange(60, dtype=np.int32), than=0)
    assert found and disk.is_writing
    disk.submit_read(found, read.put)
    assert read.get(timeout=30)
    disk.answers.set()
    disk.wait(30)
    assert not disk.is_writing

"""Prefixes are written by a thread of their own: what it gets must be evaluated."""

import threading
from pathlib import Path

import pytest

from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.prefix_cache.disk import DiskTier
from tests.worker.prefix_cache.test_disk import MB, found_length, kv, numbers

pytestmark = pytest.mark.mlx


def test_prefixes_that_share_a_beginning_are_written_by_another_thread(tmp_path: Path) -> None:
    """The shared part has been divided by the engine's thread, whose streams no other thread has."""
    disk = DiskTier(tmp_path, 10 * MB)
    prefix_cache = PrefixCache(10 * MB, disk)
    prompts = [numbers(40) + numbers(20, start=start) for start in (100, 200, 300)]

    def store() -> None:
        for prompt in prompts:
            prefix_cache.store("me", prompt, kv(len(prompt)))
        while entry := prefix_cache.unsaved:
            disk.submit_write(entry)

    engine = threading.Thread(target=store)
    engine.start()
    engine.join()
    disk.wait(20)
    assert [found_length(tmp_path, [*prompt, 7]) for prompt in prompts] == [60, 60, 60]

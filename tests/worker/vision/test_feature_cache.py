"""Features that are kept: by owner, within their bytes, the latest used ones."""

import mlx.core as mx
import pytest

from inference.worker.vision.feature_cache import FeatureCache

pytestmark = pytest.mark.mlx


def features(rows: int) -> mx.array:
    return mx.zeros((rows, 1), mx.float32)  # four bytes a row


def test_an_owner_finds_its_own_pictures_only() -> None:
    cache = FeatureCache(100)
    cache.put("a", b"1", features(2))
    assert cache.get("a", b"1") is not None
    assert cache.get("b", b"1") is None and cache.get("a", b"2") is None


def test_the_least_recently_used_go_first() -> None:
    cache = FeatureCache(24)
    for digest in (b"1", b"2", b"3"):
        cache.put("a", digest, features(2))
    cache.get("a", b"1")
    cache.put("a", b"4", features(2))
    assert [digest for digest in (b"1", b"2", b"3", b"4") if cache.get("a", digest) is not None] == [
        b"1",
        b"3",
        b"4",
    ]
    assert cache.bytes == 24
    cache.put("a", b"4", features(1))
    assert cache.bytes == 20
    cache.put("a", b"5", features(7))  # larger than all of it
    assert cache.get("a", b"5") is None and cache.bytes == 20
    cache.shrink(8)
    assert cache.bytes <= 8
    cache.shrink(0)
    assert cache.bytes == 0

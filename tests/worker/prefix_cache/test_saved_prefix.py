"""What the file of a prefix says about it."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.worker.prefix_cache.entry import PrefixEntry
from inference.worker.prefix_cache.saved_prefix import covers, metadata, read_header

pytestmark = pytest.mark.mlx


def entry(*tokens: int, owner: str = "me", can_trim: bool = True) -> PrefixEntry:
    return PrefixEntry(owner, np.array(tokens, np.int32), [], 0, can_trim=can_trim)


def written(path: Path, made: PrefixEntry) -> Path:
    """A file with this header, as mlx-lm writes the names of its own metadata."""
    header = json.dumps({"__metadata__": {f"0.{name}": value for name, value in metadata(made).items()}})
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    return path


@pytest.mark.parametrize("can_trim", [True, False])
def test_a_header_is_read_as_it_was_written(tmp_path: Path, can_trim: bool) -> None:
    path = written(tmp_path / "a.safetensors", entry(1, 2, 300_000, owner="user:é", can_trim=can_trim))
    found = read_header(path)
    assert found and (found.owner, found.tokens.tolist()) == ("user:é", [1, 2, 300_000])
    assert found.bytes == path.stat().st_size
    assert found.is_trimmable == entry(can_trim=can_trim).is_trimmable


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"{}", b"\x02" + b"\0" * 7 + b"[]"]
)
def test_a_file_without_a_header_is_deleted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    assert read_header(path) is None
    assert not path.exists()


def test_a_longer_entry_of_the_owner_covers_a_saved_prefix(tmp_path: Path) -> None:
    saved = read_header(written(tmp_path / "a.safetensors", entry(1, 2)))
    assert saved
    assert covers(entry(1, 2, 3), saved)
    assert not covers(entry(1, 3, 2), saved)
    assert not covers(entry(1, 2, 3, owner="other"), saved)
    assert not covers(entry(1, 2, 3, can_trim=False), saved)

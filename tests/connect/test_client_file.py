from pathlib import Path

import pytest

from inference.connect import client_file
from inference.connect.client_file import ClientFile
from inference.connect.errors import FileRefused


def test_a_missing_file_is_none_and_its_folders_are_made(tmp_path: Path) -> None:
    file = ClientFile(tmp_path / "a" / "b" / "c.json")
    assert file.read() is None and file.mode() == 0o600
    assert file.make_folders() == [str(tmp_path / "a" / "b"), str(tmp_path / "a")]
    file.replace(b"x", 0o600)
    assert file.read() == b"x" and file.make_folders() == []


def test_a_write_that_fails_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    with pytest.raises(FileRefused, match="cannot be written"):
        client_file.replace(tmp_path / "c", b"x", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    assert client_file.decoded(tmp_path, b"\xef\xbb\xbfa") == ("\ufeff", "a")
    assert client_file.decoded(tmp_path, b"a") == ("", "a")

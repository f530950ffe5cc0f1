import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mlxsite.secret import secret_key


def test_it_makes_a_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    key = secret_key(tmp_path / "data")
    assert len(key) >= 50
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_it_keeps_the_key_it_made(tmp_path: Path) -> None:
    assert secret_key(tmp_path) == secret_key(tmp_path)


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert secret_key(tmp_path / "a") != secret_key(tmp_path / "b")


def test_it_leaves_no_draft_behind(tmp_path: Path) -> None:
    secret_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


KEY = "k3y-" * 12


def broken(folder: Path, content: bytes) -> Path:
    (folder / "secret_key").write_bytes(content)
    return folder


@pytest.mark.parametrize("content", [f"{KEY}\n".encode(), KEY.encode(), f"  {KEY}\r\n".encode()])
def test_a_key_of_the_operators_own_is_taken(tmp_path: Path, content: bytes) -> None:
    assert secret_key(broken(tmp_path, content)) == KEY


@pytest.mark.parametrize("content", [b"", b"\n", b"   \t\n"])
def test_an_empty_key_is_refused_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"secret_key is empty\. Restore it from a backup"):
        secret_key(broken(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        *(b"short", b"\0" * 64, b"\xff\xfe" * 40, KEY.encode() + b"\n" + KEY.encode(), b"two words " * 9),
        *(KEY.encode()[:20], "ключ".encode() * 20, b"-----BEGIN KEY-----\nabc\n" * 3),
    ],
)
def test_a_damaged_key_is_refused_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"secret_key is damaged: .* Restore it from a backup"):
        secret_key(broken(tmp_path, content))


def test_what_is_no_file_is_refused_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "a" / "secret_key").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "secret_key").symlink_to("/nowhere")
    (tmp_path / "c").write_text("a file in the folder's place")
    for folder in ("a", "b", "c", "c/below"):
        with pytest.raises(ImproperlyConfigured, match="MLX_SERVER_DATA_DIR must be a folder"):
            secret_key(tmp_path / folder)

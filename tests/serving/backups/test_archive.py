"""Archives: each byte that differs is found, and so is each kind of file that is not a backup."""

import io
import tarfile
from pathlib import Path

import pytest

from inference.serving.backups import archive
from inference.serving.backups.archive import BackupError, BackupList

ORIGIN = BackupList(version="1.2", created="2026-01-01T00:00:00+00:00")


@pytest.fixture(params=["saved.tar", "saved.tar.gz", "saved.tgz"])
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    (tmp_path / "one").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty").touch()
    file: Path = tmp_path / request.param
    archive.write(file, [("site.sqlite3", tmp_path / "one"), ("models/a/empty", tmp_path / "empty")], ORIGIN)
    return file


def test_what_was_written_is_read(file: Path, tmp_path: Path) -> None:
    listed = archive.unpack(file, tmp_path / "out")
    assert (listed.version, listed.created, listed.size) == ("1.2", ORIGIN.created, 10_240)
    assert (tmp_path / "out" / "site.sqlite3").read_bytes() == (tmp_path / "one").read_bytes()
    assert (tmp_path / "out" / "models" / "a" / "empty").read_bytes() == b""


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.58])  # behind these are zeros alone
def test_an_archive_that_was_cut_off_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BackupError, match=r"incomplete|damaged"):
        archive.unpack(file)


def test_a_byte_that_changed_is_found(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 3000)
    file = tmp_path / "saved.tar"
    archive.write(file, [("secret_key", tmp_path / "one")], ORIGIN)
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(BackupError, match="secret_key is not what was saved"):
        archive.unpack(file)


@pytest.mark.parametrize(
    "content", [b"", b"not a tar file", b"\x1f\x8b\x08 nor a gzip file" * 50, b"\0" * 10_240]
)
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.tar").write_bytes(content)
    with pytest.raises(BackupError, match="not a backup"):
        archive.unpack(tmp_path / "other.tar")


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "./secret_key", "a//b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as evil:
        info = tarfile.TarInfo(name)
        info.size = 1
        evil.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(BackupError, match="not a backup"):
        archive.unpack(tmp_path / "evil.tar", tmp_path / "folder")
    assert [path.name for path in tmp_path.rglob("*")] == ["evil.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as evil:
        info = tarfile.TarInfo("secret_key")
        info.type, info.linkname = kind, "/etc/passwd"
        evil.addfile(info)
    with pytest.raises(BackupError, match="not a backup"):
        archive.unpack(tmp_path / "evil.tar", tmp_path / "folder")


def test_a_list_of_a_later_format_names_the_version(tmp_path: Path) -> None:
    archive.write(tmp_path / "later.tar", [], BackupList(format=2, version="9.0", created=""))
    with pytest.raises(BackupError, match="made by version 9.0"):
        archive.unpack(tmp_path / "later.tar")

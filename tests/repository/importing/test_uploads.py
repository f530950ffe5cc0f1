from pathlib import Path

import pytest

from inference.core import disk_space
from inference.core.gguf_import import MOST_BYTES, FileIdentity
from inference.repository.files import staging
from inference.repository.importing import uploads as uploading
from inference.repository.importing.uploads import ModelUpload, ModelUploads, UploadRefused

CONTENT = b"GGUF" + bytes(range(96))
X = FileIdentity(name="x.gguf", size=len(CONTENT), modified=1_700_000_000_123)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gguf").mkdir()
    return tmp_path / "gguf"


@pytest.fixture
def uploads(folder: Path) -> ModelUploads:
    return ModelUploads(folder)


def with_received(received: int) -> ModelUpload:
    return ModelUpload(name=X.name, size=X.size, modified=X.modified, received=received)


def other(**changes: object) -> FileIdentity:
    return FileIdentity(**({"name": X.name, "size": X.size, "modified": X.modified} | changes))  # type: ignore[arg-type]


def test_a_file_arrives_in_parts_and_is_listed_once_it_is_whole(uploads: ModelUploads, folder: Path) -> None:
    assert uploads.open(X) == with_received(0)
    assert uploads.append(X, 0, CONTENT[:40]) == with_received(40)
    assert not (folder / "x.gguf").exists() and uploads.all() == [with_received(40)]
    assert ModelUploads(folder).open(X) == with_received(40)  # also of a site that was started since
    assert uploads.append(X, 40, CONTENT[40:]).is_complete
    assert (folder / "x.gguf").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["x.gguf"] and uploads.all() == []
    assert uploads.open(X).is_complete  # whose last answer was lost


@pytest.mark.parametrize("offset", [0, 20, 41, 99])
def test_a_part_that_does_not_follow_is_refused_with_what_has_arrived(
    uploads: ModelUploads, offset: int
) -> None:
    uploads.open(X)
    uploads.append(X, 0, CONTENT[:40])
    with pytest.raises(uploading.WrongOffset, match="40 bytes of x.gguf have arrived"):
        uploads.append(X, offset, CONTENT[offset : offset + 10])
    assert uploads.open(X) == with_received(40)


def test_another_file_of_the_same_name_is_refused_until_the_first_is_discarded(
    uploads: ModelUploads, folder: Path
) -> None:
    uploads.open(X)
    uploads.append(X, 0, CONTENT[:40])
    for file in (other(size=99), other(modified=1)):
        with pytest.raises(UploadRefused, match="another file named x.gguf"):
            uploads.open(file)
        with pytest.raises(UploadRefused, match="another file named x.gguf"):
            uploads.append(file, 40, b"x")
    assert uploads.discard("x.gguf") and not uploads.discard("x.gguf")
    assert list(folder.iterdir()) == []
    assert uploads.open(other(size=99)).size == 99


def test_a_file_that_is_there_is_not_replaced(uploads: ModelUploads, folder: Path) -> None:
    (folder / "x.gguf").write_text("mine")
    with pytest.raises(UploadRefused, match="There is a file x.gguf already"):
        uploads.open(X)
    (folder / "x.gguf").unlink()
    uploads.open(X)
    (folder / "x.gguf").write_text("mine")  # another program's, meanwhile
    with pytest.raises(UploadRefused, match="There is a file x.gguf already"):
        uploads.append(X, 0, CONTENT)
    assert (folder / "x.gguf").read_text() == "mine"
    (folder / "x.gguf").unlink()
    assert uploads.open(X).is_complete and (folder / "x.gguf").read_bytes() == CONTENT
    assert uploads.all() == []


@pytest.mark.parametrize(
    "name",
    [
        "../x.gguf",
        "a/x.gguf",
        "/x.gguf",
        "a\\x.gguf",
        ".x.gguf",
        "x.bin",
        "x.gguf\n",
        "",
        "\0.gguf",
        f"{'é' * 101}.gguf",
    ],
)
def test_a_name_that_is_no_plain_one_is_refused(uploads: ModelUploads, tmp_path: Path, name: str) -> None:
    with pytest.raises(UploadRefused, match="cannot be the name"):
        uploads.open(other(name=name))
    with pytest.raises(UploadRefused, match="cannot be the name"):
        uploads.append(other(name=name), 0, CONTENT)
    assert not uploads.discard(name)
    assert [path.name for path in tmp_path.rglob("*")] == ["gguf"]


@pytest.mark.parametrize("size", [0, -1, MOST_BYTES + 1])
def test_a_file_that_is_too_large_is_refused(uploads: ModelUploads, size: int) -> None:
    with pytest.raises(UploadRefused, match="larger than 500.0 GB"):
        uploads.open(other(size=size))


def test_a_part_has_to_fit_and_the_first_to_be_of_a_gguf_file(uploads: ModelUploads) -> None:
    uploads.open(X)
    with pytest.raises(UploadRefused, match="is not a GGUF file"):
        uploads.append(X, 0, b"PK\3\4")
    for part in (b"", CONTENT + b"x"):
        with pytest.raises(UploadRefused, match="empty, or goes beyond"):
            uploads.append(X, 0, part)
    assert uploads.open(X) == with_received(0)


def test_nothing_is_taken_of_what_was_not_begun_or_was_discarded(uploads: ModelUploads, folder: Path) -> None:
    with pytest.raises(uploading.NoUpload):
        uploads.append(X, 0, CONTENT)
    assert list(folder.iterdir()) == []


def test_two_parts_at_once_are_refused(uploads: ModelUploads, folder: Path) -> None:
    uploads.open(X)
    with staging.held(staging.draft_of(folder / "x.gguf")):
        with pytest.raises(uploading.UploadBusy):
            uploads.append(X, 0, CONTENT)
        with pytest.raises(uploading.UploadBusy):
            uploads.discard("x.gguf")
    assert uploads.append(X, 0, CONTENT).is_complete


def test_a_gigabyte_of_the_disk_stays_free(uploads: ModelUploads, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [disk_space.SPARE_BYTES + len(CONTENT) - 1]
    monkeypatch.setattr(disk_space, "free", lambda place: free[0])
    with pytest.raises(uploading.NoRoom, match="make room first"):
        uploads.open(X)
    free[0] += 1
    uploads.open(X)
    uploads.append(X, 0, CONTENT[:40])
    free[0] -= 40
    assert uploads.open(X) == with_received(40)  # what is there needs no more room
    free[0] = disk_space.SPARE_BYTES - 1
    with pytest.raises(uploading.NoRoom, match="has become full"):
        uploads.append(X, 40, CONTENT[40:])


def test_uploads_that_are_not_complete_are_bounded(
    uploads: ModelUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "_MOST_DRAFTS", 2)
    for name in ("a.gguf", "b.gguf"):
        uploads.open(other(name=name))
    with pytest.raises(UploadRefused, match="finish or discard"):
        uploads.open(X)
    uploads.open(other(name="a.gguf"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UploadRefused, match="MLX_SERVER_GGUF_DIR"):
        ModelUploads(tmp_path / "nowhere").open(X)


def test_nothing_is_written_through_a_link(uploads: ModelUploads, folder: Path, tmp_path: Path) -> None:
    uploads.open(X)
    draft = staging.draft_of(folder / "x.gguf")
    draft.rename(tmp_path / "elsewhere")
    draft.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UploadRefused):
        uploads.append(X, 0, CONTENT)
    assert not (tmp_path / "elsewhere" / "data").exists()

import os
from pathlib import Path

import pytest

from inference.repository import gguf_import
from inference.repository.conversions.refusal import ConversionRefused
from inference.repository.files.gguf import GgufHeader
from inference.repository.importing import gguf_folder
from inference.repository.importing.gguf_folder import GgufFile, GgufFolder
from tests.repository.files.test_gguf import TEXT, entry, gguf, tensor, text


@pytest.fixture
def folder(tmp_path: Path) -> GgufFolder:
    (tmp_path / "gguf").mkdir()
    return GgufFolder(tmp_path / "gguf")


def put(folder: GgufFolder, name: str, content: bytes) -> Path:
    (folder.path / name).write_bytes(content)
    return folder.path / name


def test_files_are_listed_with_what_their_headers_say(folder: GgufFolder) -> None:
    tensors = [tensor("a", (4,)), tensor("b", (64,), kind=8, offset=32)]
    put(folder, "b.gguf", gguf(tensors=tensors, data=128))
    put(folder, "A.GGUF", gguf([entry("general.architecture", TEXT, text("clip"))]))
    put(folder, "cut.gguf", gguf(data=0))
    put(folder, "part.gguf", gguf([entry("split.count", 4, (3).to_bytes(4, "little"))]))
    put(folder, "notes.txt", b"")
    put(folder, ".hidden.gguf", b"")
    first, good, cut, part = folder.files()
    assert (
        good == GgufFile(name="b.gguf", bytes=good.bytes, architecture="llama", quantization="Q8_0")
        and good.bytes > 128
    )
    assert (first.name, first.architecture, first.quantization) == ("A.GGUF", "clip", "F32")
    assert "'clip' cannot be imported" in first.problem
    assert "cut off" in cut.problem and "llama-gguf-split --merge" in part.problem


def test_a_header_is_read_again_after_a_change_only(
    folder: GgufFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(folder, "x.gguf", gguf())
    read: list[Path] = []

    def counted(path: Path) -> GgufHeader:
        read.append(path)
        return gguf_import.check(path)

    monkeypatch.setattr(gguf_folder, "check", counted)
    assert folder.files() == folder.files() and len(read) == 1
    path.write_bytes(b"GGUF")
    assert "cut off" in folder.files()[0].problem and len(read) == 2


def test_no_header_is_begun_after_its_time(folder: GgufFolder) -> None:
    put(folder, "x.gguf", gguf())
    (file,) = folder.files(within_s=-1)
    assert not file.is_read and "reload the page" in file.problem
    assert folder.files()[0].problem == ""


def test_a_link_inside_the_folder_is_a_file_of_it(folder: GgufFolder) -> None:
    path = put(folder, "x.gguf", gguf())
    (folder.path / "y.gguf").symlink_to("x.gguf")
    assert [file.problem for file in folder.files()] == ["", ""]
    assert folder.path_of("y.gguf") == path


@pytest.mark.parametrize("kind", ["outside", "nowhere", "itself", "folder", "pipe"])
def test_what_is_no_file_of_the_folder_says_so_and_is_not_opened(
    folder: GgufFolder, tmp_path: Path, kind: str
) -> None:
    place = folder.path / "x.gguf"
    (tmp_path / "secret.gguf").write_bytes(gguf())
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        targets = {"outside": tmp_path / "secret.gguf", "nowhere": Path("nothing"), "itself": Path("x.gguf")}
        place.symlink_to(targets[kind])
    (file,) = folder.files()
    assert file.bytes == 0 and "a file outside the folder" in file.problem
    with pytest.raises(ConversionRefused, match="a file outside the folder"):
        folder.path_of("x.gguf")


@pytest.mark.parametrize(
    "name", ["../secret.gguf", "/etc/passwd", "sub/x.gguf", "secret.gguf", "", ".", "x.gguf\0", "X.gguf"]
)
def test_only_names_of_the_list_are_known(folder: GgufFolder, tmp_path: Path, name: str) -> None:
    put(folder, "x.gguf", gguf())
    (folder.path / "sub").mkdir()
    for place in (tmp_path / "secret.gguf", folder.path / "sub" / "x.gguf"):
        place.write_bytes(gguf())
    with pytest.raises(ConversionRefused, match="There is no file"):
        folder.path_of(name)


def test_a_folder_that_is_not_there_lists_nothing(tmp_path: Path) -> None:
    assert GgufFolder(tmp_path / "nowhere").files() == []


def test_the_folder_may_be_behind_a_link(folder: GgufFolder, tmp_path: Path) -> None:
    put(folder, "x.gguf", gguf())
    (tmp_path / "link").symlink_to(folder.path)
    linked = GgufFolder(tmp_path / "link")
    assert [file.problem for file in linked.files()] == [""]
    assert linked.path_of("x.gguf") == folder.path / "x.gguf"

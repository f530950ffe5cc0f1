"""Walking folders that others change meanwhile."""

import contextlib
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inference.core import disk_space
from inference.repository.files import folder_tree
from inference.repository.files.folder_tree import entries, folder_size, is_same, walk


@contextmanager
def changing(change: Callable[[], None]) -> Iterator[None]:
    """Have another thread change things for as long as the block runs."""
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            change()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def come_and_go(folder: Path) -> None:
    """What pip does: a folder of its own with folders and files, gone again at once."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        (Path(name) / "a" / "b").mkdir(parents=True)
        (Path(name) / "a" / "b" / "file").write_bytes(b"x" * 1000)


def replace(folder: Path) -> None:
    """A folder whose name a file has for a moment."""
    path = folder / "changing"
    path.mkdir()
    (path / "file").write_bytes(b"x")
    shutil.rmtree(path)
    path.write_bytes(b"x")
    path.unlink()


@pytest.mark.parametrize("change", [come_and_go, replace])
def test_sizes_are_reported_while_folders_come_and_go(tmp_path: Path, change: Callable[[Path], None]) -> None:
    (tmp_path / "stays").write_bytes(b"x" * 10)
    with changing(lambda: change(tmp_path)):
        sizes = {folder_size(tmp_path) for _ in range(1500)}
    assert min(sizes) >= 10 and folder_size(tmp_path) == 10


def test_a_folder_is_deleted_while_another_deletes_it_too(tmp_path: Path) -> None:
    for number in range(60):
        folder = tmp_path / str(number)
        for below in range(20):
            (folder / str(below)).mkdir(parents=True)
            (folder / str(below) / "file").touch()
        with changing(lambda folder=folder: shutil.rmtree(folder, ignore_errors=True)):  # type: ignore[misc]
            folder_tree.remove(folder)
        assert not folder.exists()


def test_a_folder_is_deleted_while_another_writes_into_it(tmp_path: Path) -> None:
    folder, names = tmp_path / "draft", itertools.count()

    def write() -> None:
        with contextlib.suppress(FileNotFoundError):
            (folder / f"{next(names)}").touch()

    for _ in range(20):
        folder.mkdir()
        with changing(write):
            folder_tree.remove(folder)
        assert not folder.exists()


def test_free_space_is_reported_where_a_folder_comes_and_goes(tmp_path: Path) -> None:
    place = tmp_path / "draft" / "file"

    def change() -> None:
        place.parent.mkdir()
        place.touch()
        shutil.rmtree(place.parent)

    with changing(change):
        assert all(disk_space.free(place) > 0 for _ in range(3000))


def test_what_is_not_there_has_no_size_and_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "nowhere", tmp_path / "file"):
        assert (folder_size(path), entries(path), list(walk(path))) == (0, [], [])


def test_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"x" * 1000)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, target in (("a", "../elsewhere"), ("b", "../elsewhere/file"), ("c", "."), ("d", "nowhere")):
        (folder / name).symlink_to(target)
    assert [entry.name for entry in walk(folder)] == ["a", "b", "c", "d"] and folder_size(folder) == 0
    folder_tree.remove(folder)
    assert not folder.exists() and (tmp_path / "elsewhere" / "file").exists()


def test_a_folder_comes_after_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file").touch()
    assert [Path(entry.path).relative_to(tmp_path).as_posix() for entry in walk(tmp_path)] == [
        *("a/b", "a/file", "a")
    ]


def test_what_cannot_be_deleted_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError):
        folder_tree.remove(tmp_path / "link")


def test_an_open_file_is_distinguished_from_another_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    assert is_same(descriptor, path)
    path.unlink()
    assert not is_same(descriptor, path)
    path.touch()
    (tmp_path / "other").touch()
    assert not is_same(descriptor, tmp_path / "other")
    os.close(descriptor)

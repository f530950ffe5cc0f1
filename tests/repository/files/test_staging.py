import contextlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.repository.catalog import Catalog
from inference.repository.files.staging import discard, is_being_made, staged
from tests.tiny import make_tiny_model


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_at_the_end(tmp_path: Path) -> None:
    with staged(tmp_path / "model") as draft:
        (draft / "file").write_text("x")
        assert not (tmp_path / "model").exists()
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["file"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "model") as draft:
        (draft / "file").write_text("x")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_failure_leaves_a_draft_that_is_to_be_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError), staged(tmp_path / "model", keeps_draft=True) as draft:
            with (draft / "file").open("a") as file:
                file.write("x")
            raise RuntimeError
    assert (draft / "file").read_text() == "xx"
    assert not (tmp_path / "model").exists()


def test_a_draft_left_by_a_killed_run_is_started_over(tmp_path: Path) -> None:
    (tmp_path / ".model.partial" / "folder").mkdir(parents=True)
    (tmp_path / ".model.partial" / "file").write_text("half")
    with staged(tmp_path / "model") as draft:
        assert names(draft) == []


def test_a_target_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(FileExistsError), staged(tmp_path / "model"):
        raise AssertionError("never entered")
    assert names(tmp_path) == ["model"]


def test_a_second_maker_is_refused_while_the_first_works(tmp_path: Path) -> None:
    with staged(tmp_path / "model") as draft:
        (draft / "file").write_text("first")
        with pytest.raises(BlockingIOError), staged(tmp_path / "model"):
            raise AssertionError("never entered")
    assert (tmp_path / "model" / "file").read_text() == "first"


def test_of_many_makers_at_once_one_wins(tmp_path: Path) -> None:
    won: list[int] = []
    together = threading.Barrier(8)

    def make(number: int) -> None:
        together.wait()
        try:
            with staged(tmp_path / "model") as draft:
                (draft / "file").write_text(str(number))
            won.append(number)
        except (FileExistsError, BlockingIOError):
            return

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / "model" / "file").read_text()] == [str(number) for number in won]


def test_a_left_draft_is_discarded(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "model", keeps_draft=True) as draft:
        (draft / "file").write_text("x")
        raise KeyboardInterrupt
    assert names(tmp_path) == [".model.partial"]
    discard(tmp_path / "model")
    assert names(tmp_path) == []


def test_a_left_draft_is_discarded_also_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / ".model.partial").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("x")
    discard(tmp_path / "model")
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["mine"]


def test_a_draft_that_is_a_link_is_not_discarded(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / ".model.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        discard(tmp_path / "model")
    assert names(tmp_path) == [".model.partial", "precious"]


def test_a_draft_in_use_is_not_discarded(tmp_path: Path) -> None:
    with staged(tmp_path / "model", keeps_draft=True) as draft:
        (draft / "file").write_text("x")
        with pytest.raises(BlockingIOError):
            discard(tmp_path / "model")
    assert names(tmp_path / "model") == ["file"]


def test_a_reader_sees_whether_it_is_being_made(tmp_path: Path) -> None:
    assert not is_being_made(tmp_path / "model")
    with staged(tmp_path / "model"):
        assert is_being_made(tmp_path / "model")
    assert not is_being_made(tmp_path / "model")


def test_a_draft_that_is_a_link_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (tmp_path / ".model.partial").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), staged(tmp_path / "model"):
        raise AssertionError("never entered")
    assert names(tmp_path / "precious") == ["file"]


def test_a_link_in_a_left_draft_is_removed_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    (tmp_path / ".model.partial").mkdir()
    os.symlink(tmp_path / "precious", tmp_path / ".model.partial" / "link")
    with staged(tmp_path / "model"):
        pass
    assert names(tmp_path / "model") == [] and names(tmp_path / "precious") == ["file"]


def test_a_whole_model_in_a_draft_is_not_listed(tmp_path: Path) -> None:
    whole = make_tiny_model(tmp_path / "elsewhere" / "tiny")
    root = tmp_path / "models"
    with staged(root / "group" / "tiny") as draft:
        shutil.copytree(whole, draft, dirs_exist_ok=True)
        assert Catalog(root, use_hub_cache=False).scan() == ()
    assert [card.id for card in Catalog(root, use_hub_cache=False).scan()] == ["group/tiny"]


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o700, 0o777])
def test_a_model_may_be_read_by_whoever_may_read_the_folder_it_lies_in(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "models").mkdir()
        (tmp_path / "models").chmod(mode)
        with staged(tmp_path / "models" / "model") as draft:
            (draft / "1_Pooling").mkdir()
            (draft / "1_Pooling" / "config.json").touch()
            (draft / "link").symlink_to(tmp_path)
            assert draft.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
    made = tmp_path / "models" / "model"
    assert made.stat().st_mode & 0o777 == (made / "1_Pooling").stat().st_mode & 0o777 == mode
    assert (made / "1_Pooling" / "config.json").stat().st_mode & 0o777 == mode & 0o666


def test_a_file_that_others_put_into_the_draft_may_be_gone_by_the_end(tmp_path: Path) -> None:
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            for draft in tmp_path.glob(".*.partial"):
                (draft / ".DS_Store").touch()
                (draft / ".DS_Store").unlink(missing_ok=True)

    other = threading.Thread(target=lambda: _bear(come_and_go))
    other.start()
    try:
        for number in range(200):
            with staged(tmp_path / f"model{number}") as draft:
                (draft / "file").touch()
    finally:
        is_over.set()
        other.join()
    assert len(names(tmp_path)) == 200


def _bear(act: Callable[[], None]) -> None:
    """Go on whatever vanished under the other's hands."""
    while True:
        with contextlib.suppress(OSError):
            act()
            return

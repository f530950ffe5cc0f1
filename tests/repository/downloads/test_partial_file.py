import hashlib
from pathlib import Path

import pytest

from inference.repository.downloads.errors import Damaged
from inference.repository.downloads.partial_file import HubFile, PartialFile, delete_other, is_there

CONTENT = b"weights of some kind"
LARGE = HubFile(name="a.safetensors", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
# As `git hash-object` prints it.
SMALL = HubFile(name="a.json", size=3, git_name="0967ef424bce6791893e9a57bb952f80fd536e93")


def test_it_grows_and_becomes_the_file(tmp_path: Path) -> None:
    with PartialFile(tmp_path, LARGE) as part:
        part.add(CONTENT[:7])
        assert (part.size, part.is_whole) == (7, False)
        part.add(CONTENT[7:])
        assert part.is_whole
        part.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    assert is_there(tmp_path, LARGE)


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with PartialFile(tmp_path, LARGE) as part:
        part.add(CONTENT[:7])
    with PartialFile(tmp_path, LARGE) as part:
        assert part.size == 7
        part.add(CONTENT[7:])
        part.finish()
    assert (tmp_path / "a.safetensors").read_bytes() == CONTENT


def test_it_starts_over(tmp_path: Path) -> None:
    with PartialFile(tmp_path, LARGE) as part:
        part.add(b"something else")
        part.restart()
        part.add(CONTENT)
        part.finish()
    assert (tmp_path / "a.safetensors").read_bytes() == CONTENT


def test_what_is_too_long_on_disk_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / PartialFile.name_of(LARGE)).write_bytes(CONTENT + b"more")
    with PartialFile(tmp_path, LARGE) as part:
        assert part.size == 0


def test_more_than_the_hub_lists_is_not_written(tmp_path: Path) -> None:
    with PartialFile(tmp_path, LARGE) as part:
        part.add(CONTENT)
        with pytest.raises(Damaged, match="longer than the hub states"):
            part.add(b"!")
    assert list(tmp_path.iterdir()) == []


def test_another_hash_leaves_nothing(tmp_path: Path) -> None:
    with PartialFile(tmp_path, LARGE) as part:
        part.add(CONTENT[::-1])
        with pytest.raises(Damaged, match="does not match the hub's checksum"):
            part.finish()
    assert list(tmp_path.iterdir()) == []


def test_small_files_have_gits_name(tmp_path: Path) -> None:
    with PartialFile(tmp_path, SMALL) as part:
        part.add(b"{}\n")
        part.finish()
    assert is_there(tmp_path, SMALL)


def test_another_revision_has_a_part_of_its_own() -> None:
    other = HubFile(name=LARGE.name, size=LARGE.size, sha256="f" * 64)
    assert PartialFile.name_of(LARGE) != PartialFile.name_of(other)


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / PartialFile.name_of(LARGE)).symlink_to(tmp_path / "mine")
    with pytest.raises(OSError), PartialFile(tmp_path, LARGE):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT[:-1]])
def test_what_is_another_file_is_deleted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LARGE.name).write_bytes(content)
    assert not is_there(tmp_path, LARGE)
    delete_other(tmp_path, LARGE)
    assert list(tmp_path.iterdir()) == []

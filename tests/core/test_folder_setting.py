from pathlib import Path

import pytest

from inference.core.folder_setting import folder_path
from tests.each import each


def test_a_folder_may_be_made_later_and_begin_in_the_home_folder(tmp_path: Path) -> None:
    assert folder_path(str(tmp_path / "later")) == tmp_path / "later"
    assert folder_path("~") == Path.home()


@each("text", ["", "  ", " /tmp", "/tmp/\n", "~nobody-of-this-name/x"])
def test_what_is_no_folder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"empty|spaces around it|home folder"):
        folder_path(text)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(ValueError, match="there is a file"):
        folder_path(str(tmp_path / "x"))

"""What contributors are told is there: paths, targets of make, a row for each folder."""

import re
import subprocess

import pytest

from inference.core.config import BASE_DIR
from tests.test_architecture import MAY_IMPORT

GUIDE = (BASE_DIR / "CONTRIBUTING.md").read_text()
MAP = (BASE_DIR / "docs" / "architecture.md").read_text()


def paths(page: str) -> set[str]:
    """Every path in backticks that is written from the top of the checkout."""
    return set(re.findall(r"`((?:inference|mlxsite|playground|tests|docs|static)/[\w./]*)`", page))


@pytest.mark.parametrize("page", [GUIDE, MAP], ids=["CONTRIBUTING.md", "architecture.md"])
def test_every_path_is_there(page: str) -> None:
    assert len(paths(page)) > 4
    assert [path for path in paths(page) if not (BASE_DIR / path).exists()] == []


def test_every_folder_has_its_row() -> None:
    doors = {"inference.apps", "inference.checks", "inference.templatetags"}
    folders = {folder.replace(".", "/") + "/" for folder in MAY_IMPORT.keys() - doors}
    rows = set(re.findall(r"^\| `((?:inference/\w+|mlxsite|playground)/)` \|", MAP, re.MULTILINE))
    assert rows == folders


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make( \w+)?`", GUIDE))))
def test_every_target_of_make_exists(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *target.split()], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout

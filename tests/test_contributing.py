"""The guides for contributors name paths and make targets that exist; the map has each folder."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from inference.core.config import BASE_DIR
from tests.each import each
from tests.test_architecture import MAY_IMPORT

GUIDE = (BASE_DIR / "CONTRIBUTING.md").read_text()
MAP = (BASE_DIR / "docs" / "architecture.md").read_text()
GUIDES = sorted((BASE_DIR / "docs" / "contributing").glob("*.md"))
NEW = ("key_day_admin.py", "pebble.py", "limits.py")  # files that a guide has its reader create


def paths(page: str) -> set[str]:
    """Every path in backticks that is written from the top of the checkout."""
    return set(re.findall(r"`((?:inference|mlxsite|playground|tests|docs|static)/[\w./]*)`", page))


@pytest.mark.parametrize("page", [GUIDE, MAP], ids=["CONTRIBUTING.md", "architecture.md"])
def test_every_path_is_there(page: str) -> None:
    assert len(paths(page)) > 4
    assert [path for path in paths(page) if not (BASE_DIR / path).exists()] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_path_of_a_guide_is_there_and_the_guide_is_linked(guide: Path) -> None:
    named = [path for path in paths(guide.read_text()) if not path.endswith(NEW)]
    assert [path for path in named if not (BASE_DIR / path).exists()] == []
    assert f"docs/contributing/{guide.name}" in GUIDE


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_a_part_of_a_list_is_no_python_block(guide: Path) -> None:
    # `ruff format` reformats Python in Markdown, and would put such an item into a tuple of its own.
    blocks = re.findall(r"^```python\n(.*?)^```", guide.read_text(), re.MULTILINE | re.DOTALL)
    values = [getattr(node, "value", None) for block in blocks for node in ast.parse(block).body]
    tuples = [value for value in values if isinstance(value, ast.Tuple)]
    assert [one for one in tuples if len(one.elts) == 1 and isinstance(one.elts[0], ast.Tuple)] == []


def test_every_folder_has_its_row() -> None:
    doors = {"inference.apps", "inference.checks", "inference.templatetags"}
    folders = {folder.replace(".", "/") + "/" for folder in MAY_IMPORT.keys() - doors}
    rows = set(re.findall(r"^\| `((?:inference/\w+|mlxsite|playground)/)` \|", MAP, re.MULTILINE))
    assert rows == folders


@each("target", sorted(set(re.findall(r"`make( \w+)?`", GUIDE))))
def test_every_target_of_make_exists(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *target.split()], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout

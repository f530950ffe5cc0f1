"""What static/vendor/README.md says is what is there."""

import re
from pathlib import Path

from tests.each import each

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
ROW = re.compile(r"^\| `(\w+)/` \| `[^`]+` \| ([\d.]+) \|", re.MULTILINE)
LISTED = dict(ROW.findall((VENDOR / "README.md").read_text()))


def test_every_folder_is_listed() -> None:
    assert set(LISTED) == {folder.name for folder in VENDOR.iterdir() if folder.is_dir()}


@each(("name", "version"), LISTED.items())
def test_the_listed_version_is_the_one_in_the_file(name: str, version: str) -> None:
    (main,) = (VENDOR / name).glob("*.js")
    assert version in main.read_text()


@each("name", LISTED)
def test_each_library_brings_its_licence(name: str) -> None:
    assert (VENDOR / name / "LICENSE").stat().st_size > 500


def test_nothing_names_a_source_map_that_is_not_there() -> None:
    named = [file.name for file in VENDOR.rglob("*.js") if "sourceMappingURL" in file.read_text()]
    assert named == []

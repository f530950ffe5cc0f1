"""The cases of docs/reliability.md: all are there, and each test that the page names exists."""

import re

from inference.core.config import BASE_DIR
from tests.each import each

ROWS = re.findall(
    r"^\| (\d+)\. ([^|]+) \| ([^|]+) \| ([^|]+) \|$",
    (BASE_DIR / "docs/reliability.md").read_text(),
    re.MULTILINE,
)
NAMED = {name for row in ROWS for name in re.findall(r"`([\w/]+\.py::\w+)`", row[3])}


def test_every_case_has_a_row() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 51))


def test_every_case_names_its_tests() -> None:
    assert [number for number, _, _, tests in ROWS if "::" not in tests] == []


@each("name", sorted(NAMED))
def test_each_named_test_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert re.search(
        rf"^(async def|def|class) {test}\b", (BASE_DIR / "tests" / file).read_text(), re.MULTILINE
    )

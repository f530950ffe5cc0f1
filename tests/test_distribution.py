"""Each file that uses a server of the session is in the group of that server: no other process starts one."""

import re
from pathlib import Path

import pytest

from tests.distribution import GROUPS, group

TESTS = Path(__file__).parent
SERVERS = {
    "the starter model's site": r"\b(site|models_dir|studio)\b",
    "the tiny model's site": r"\btiny_site\b",
    "the scripted model's site": r"\b(scripted_site|outcomes)\b",
    "the served site": r"\bserved_site\b",
    "the database of every schema": r"\bwalked\b",
}
OWN = re.compile(r"@pytest\.fixture(?:\(.*\))?\ndef (\w+)\(")


def groups_used(file: Path) -> set[str]:
    """The groups whose servers a file's tests and fixtures have as arguments, but for fixtures of its own."""
    text = file.read_text()
    arguments = set(
        re.findall(r"\b(\w+):", " ".join(re.findall(r"\bdef test_\w+\((.*?)\) ->", text, re.DOTALL)))
    )
    arguments |= set(
        re.findall(r"\b(\w+):", " ".join(re.findall(r"\.fixture.*?\ndef \w+\((.*?)\) ->", text)))
    )
    arguments -= set(OWN.findall(text))
    return {name for name, used in SERVERS.items() if any(re.fullmatch(used, one) for one in arguments)}


@pytest.mark.parametrize(
    "file",
    sorted(
        {*TESTS.glob("e2e/test_*.py"), *TESTS.glob("clients/live/test_*.py")}
        | {TESTS.parent / name for name in GROUPS}
    ),
    ids=lambda file: file.stem,
)
def test_a_file_is_in_the_group_of_the_server_that_it_uses(file: Path) -> None:
    name = file.relative_to(TESTS.parent).as_posix()
    assert groups_used(file) <= {group(name)}


def test_every_file_of_a_group_is_there() -> None:
    assert [name for name in GROUPS if not (TESTS.parent / name).exists()] == []

"""A test imports what `.[test]` installs alone, so that the README's test command needs no other extra."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TESTS = Path(__file__).parent
OURS = {"inference", "mlxsite", "playground", "tests"}
WITH_OTHER_EXTRAS = TESTS / "clients" / "live"  # the clients of other makers


def needed(name: str, extra: str = "") -> Iterator[tuple[str, str]]:
    """The packages that one names, each with an extra of its own or none."""
    try:
        stated = requires(name) or []
    except PackageNotFoundError:  # for another platform
        return
    for requirement in map(Requirement, stated):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            for own in ("", *requirement.extras):
                yield canonicalize_name(requirement.name), own


def installed_by(name: str, extra: str) -> set[str]:
    """All packages that `name[extra]` brings."""
    found: set[tuple[str, str]] = set()
    left = [(name, extra), (name, "")]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += needed(*one)
    return {name for name, _ in found}


def imported(file: Path) -> Iterator[str]:
    """The first names of what a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_a_test_imports_what_the_extra_for_tests_installs() -> None:
    there, of_name = installed_by("mlxsite", "test"), packages_distributions()
    known = {name for name, makers in of_name.items() if there & {canonicalize_name(one) for one in makers}}
    assert {"pytest", "playwright", "django"} <= known and "ruff" not in there
    files = [file for file in TESTS.rglob("*.py") if WITH_OTHER_EXTRAS not in file.parents]
    foreign = {
        f"{file.relative_to(TESTS)}: {name}"
        for file in files
        for name in imported(file)
        if name not in known | OURS | sys.stdlib_module_names
    }
    assert len(files) > 500 and foreign == set()

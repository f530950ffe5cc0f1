"""Whether a row's test can fail: the server is changed for one field, and the row's tests have to fail.

    python -m tests.api.openai.mutation [FIELD ...]

prints the fields whose tests still pass. An enforced field is taken and ignored; a noted field, which may
change nothing, changes another field of its object. It takes many minutes, so it is for a nightly run and for
whoever changes a proof; what the gate checks is in test_reference.py.
"""

import importlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from inference.api.openai.schemas import Strict
from inference.core.config import BASE_DIR
from tests.api.openai import mutant, reference

# Whether these are sent changes nothing: a schema is enforced in any case and its name is a label, an item is
# a message, a call is one of a function and a tool is the client's own anyway.
_EITHER_WAY = {
    ("SchemaBody", "name"),
    ("SchemaBody", "strict"),
    ("TextFormat", "strict"),
    ("MessageItem", "type"),
    ("CallBody", "type"),
    ("CustomCallBody", "type"),
    ("CustomTool", "type"),
}
_BASE = "inference/api/http/strict_schema.py"
_OPTIONS = ("-q", "-x", "-p", "no:cacheprovider")
_LIBRARIES = ("anthropic", "daphne.server", "mlx_lm", "openai", "transformers")


class Mutant(NamedTuple):
    """A change of the server for one field, and the tests of which one has to fail on it."""

    change: Callable[[Any, str, str], None]  # of mutant.py
    owner: str  # the name of the field's class
    field: str
    tests: tuple[str, ...]


def mutants() -> list[Mutant]:
    """Return those of all fields; a field of several endpoints has one for each different set of tests."""
    return list(dict.fromkeys((*_forgetting(), *_acting())))


def _forgetting() -> Iterator[Mutant]:
    for name, body in reference.BODIES.items():
        for owner, field, path in reference.fields(body):
            known = owner.model_fields[_attribute(owner, field)]
            # A body cannot be without what is required.
            if known.is_required() or reference.is_taken(known) or (owner.__name__, field) in _EITHER_WAY:
                continue
            yield Mutant(mutant.forget, owner.__name__, field, reference.proofs_of(name, path))


def _acting() -> Iterator[Mutant]:
    for name, body in reference.BODIES.items():
        owners = dict.fromkeys((body, *(owner for owner, _, _ in reference.fields(body))))
        for owner in owners:
            for field in owner.noted:
                yield Mutant(mutant.act, owner.__name__, field, (reference.handled_by(name)["noted"],))


def _attribute(owner: type[Strict], field: str) -> str:
    return next(name for name, known in owner.model_fields.items() if (known.alias or name) == field)


def _status(one: Mutant) -> int:
    """Run the mutant's tests in this process, which is changed for good; return pytest's exit status.

    A site that a test starts imports the sources anew, so such tests run in a changed copy of them.
    """
    tests = [f"tests/{test}" for test in one.tests]
    if any(test.startswith("tests/e2e/") for test in tests):
        with tempfile.TemporaryDirectory() as folder:
            return _status_in_copy(Path(folder) / "site", one, tests)
    one.change(Strict, one.owner, one.field)
    return pytest.main([*_OPTIONS, *tests])


def _status_in_copy(copy: Path, one: Mutant, tests: list[str]) -> int:
    shutil.copytree(BASE_DIR, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules"))
    with (copy / _BASE).open("a") as source:
        source.write("\n\nfrom tests.api.openai import mutant\n")
        source.write(f"mutant.{one.change.__name__}(Strict, {one.owner!r}, {one.field!r})\n")
    command = [sys.executable, "-m", "pytest", *_OPTIONS, *tests]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


def _start(one: Mutant, output: Path) -> int:
    """Fork a process that ends with the exit status of the mutant's tests; return its id.

    The libraries are imported before, which would take it seconds; Django is not yet set up.
    """
    sys.stdout.flush()
    if child := os.fork():
        return child
    status = pytest.ExitCode.INTERNAL_ERROR
    try:
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(dir=output.parent)
        status = pytest.ExitCode(_status(one))
    finally:
        os._exit(status)


def _each_ended(waiting: list[Mutant], folder: Path) -> Iterator[tuple[Mutant, int, Path]]:
    """Run the tests of all, one process for each core; yield each with its exit status and output."""
    running: dict[int, tuple[Mutant, Path]] = {}
    outputs = (folder / f"{number}.txt" for number in itertools.count())
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            started = waiting.pop(), next(outputs)
            running[_start(*started)] = started
        child, status = os.wait()
        one, output = running.pop(child)
        yield one, os.waitstatus_to_exitcode(status), output


def main(wanted: list[str]) -> int:
    """Print each mutant and whether its tests noticed it; return how many they did not.

    Raises RuntimeError when the tests of one could not run.
    """
    for library in _LIBRARIES:
        importlib.import_module(library)
    chosen = [one for one in mutants() if not wanted or {one.field, one.owner} & set(wanted)]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        for one, status, output in _each_ended([*chosen, _unchanged(chosen)], Path(folder)):
            is_noticed = status == pytest.ExitCode.TESTS_FAILED
            if status != pytest.ExitCode.OK and not (is_noticed and one.field):
                raise RuntimeError(f"{one.tests} did not run:\n{output.read_text()[-2000:]}")
            if one.field:
                survivors += not is_noticed
                word = "noticed " if is_noticed else "UNNOTICED"
                print(
                    f"{word} {one.change.__name__} {one.owner}.{one.field}  {', '.join(one.tests)}",
                    flush=True,
                )
    return survivors


def _unchanged(chosen: list[Mutant]) -> Mutant:
    """All tests on the server as it is: a test that fails here would notice nothing."""
    tests = dict.fromkeys(test for one in chosen for test in one.tests if not test.startswith("e2e/"))
    return Mutant(mutant.leave, "", "", tuple(tests))


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))

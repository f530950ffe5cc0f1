"""Many mutants in one process: tests are collected once; each mutant runs those that should fail on it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from inference.api.openai.schemas import Strict
from inference.core.config import BASE_DIR
from tests.api.openai import mutant
from tests.api.openai.mutants import Mutant
from tests.each import in_order

_BASE = "inference/api/http/strict_schema.py"
_E2E = "e2e/"  # tests of a site, which imports the sources anew: they run in a changed copy of these
Told = Callable[[Mutant, str], None]  # with the test that noticed it; empty for none
Fails = Callable[[Mutant | None], bool]  # whether a test fails on a mutant, or on the server as it is


class MutationRun:
    """A plugin of pytest that runs the tests of each mutant instead of every test once."""

    def __init__(self, mutants: Iterable[Mutant], told: Told) -> None:
        self._mutants = list(mutants)
        self._told = told
        self._items: dict[str, list[pytest.Item]] = defaultdict(list)  # by the name of the test
        self._latest: dict[str, str] = {}  # by owner: the test that noticed its last mutant
        self._is_right: dict[str, bool] = {}  # by test: whether it passes on the server as it is
        self._has_failed = False
        self._case = ""  # that failed last

    @property
    def arguments(self) -> list[str]:
        """The tests to be collected."""
        tests = dict.fromkeys(test for one in self._mutants for test in one.tests)
        return [str(BASE_DIR / "tests" / test) for test in tests if not test.startswith(_E2E)]

    @property
    def broken(self) -> list[str]:
        """The tests that fail on the server as it is, so that they notice nothing."""
        return [test for test, is_right in self._is_right.items() if not is_right]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            name = getattr(item, "originalname", item.name)
            self._items[f"{item.path.relative_to(BASE_DIR / 'tests')}::{name}"].append(item)
        for one in self._mutants:
            self._told(one, self._noticing(one))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        self._has_failed = True
        if isinstance(report, pytest.SubtestReport):
            self._case = report.context.msg or ""
            pytest.fail("one case is enough", pytrace=False)

    def _noticing(self, one: Mutant) -> str:
        """The test that fails on the mutant and not without it; empty where there is none."""
        tests = dict(self._tests(one))
        latest, case = self._latest.get(one.owner), self._case
        likely_first = sorted(tests, key=lambda test: (test != latest, one.field not in test))
        for test in sorted(likely_first, key=lambda test: test.startswith(_E2E)):  # which take long
            with in_order(lambda name: (name != case, f"'{one.field}'" not in name)):
                is_noticed = tests[test](one)
            if is_noticed and self._passes(test, tests[test]):
                self._latest[one.owner] = test
                return test
        return ""

    def _tests(self, one: Mutant) -> Iterator[tuple[str, Fails]]:
        """Its tests by name; in those with parameters, each set of them is one."""
        for test in one.tests:
            yield from ((item.nodeid, partial(self._fails, item)) for item in self._items[test])
        yield from ((test, partial(_fails_in_copy, test)) for test in one.tests if test.startswith(_E2E))

    def _passes(self, test: str, fails: Fails) -> bool:
        if test not in self._is_right:
            self._is_right[test] = not fails(None)
        return self._is_right[test]

    def _fails(self, item: pytest.Item, one: Mutant | None) -> bool:
        self._has_failed = False
        with mutant.restored(Strict):
            if one:
                one.change(Strict, one.owner, one.field)
            # What comes next is not known yet: only what the whole session has stays.
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)
        return self._has_failed


def _fails_in_copy(test: str, one: Mutant | None) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "site"
        shutil.copytree(BASE_DIR, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules"))
        if one:
            with (copy / _BASE).open("a") as source:
                source.write("\n\nfrom tests.api.openai import mutant\n")
                source.write(f"mutant.{one.change.__name__}(Strict, {one.owner!r}, {one.field!r})\n")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{test}"]
        environment = os.environ | {"PYTHONPATH": str(copy), "TMPDIR": folder}
        made = subprocess.run(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, check=False)
    return made.returncode != pytest.ExitCode.OK


def run(mutants: list[Mutant], told: Told, output: Path) -> list[str]:
    """Run the tests of all mutants, and return those that fail without one; pytest's output goes to a file.

    Raises RuntimeError, with the end of the file, where the run breaks off.
    """
    session = MutationRun(mutants, told)
    shown, errors = os.dup(1), os.dup(2)
    try:
        with output.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            status = pytest.main(["-q", "-p", "no:cacheprovider", *session.arguments], plugins=[session])
    finally:
        os.dup2(shown, 1)
        os.dup2(errors, 2)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"The run broke off:\n{output.read_text(errors='replace')[-4000:]}")
    return session.broken

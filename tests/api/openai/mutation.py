"""Whether a row's test can fail: the server is changed for one field, and the row's tests have to fail.

    python -m tests.api.openai.mutation [FIELD or CLASS or CLASS.FIELD ...]

prints each change with the test that noticed it, and ends with 1 where none did. An enforced field is taken
and ignored; a noted or accepted field, which may change nothing, changes another field of its object. It
takes minutes, so it is for a nightly run and for whoever changes a proof; what the gate checks is in
test_reference.py.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.api.openai.mutants import Mutant, mutants
from tests.api.openai.mutation_run import run


class Progress:
    """A line for each mutant, and what became of all."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._begun = time.monotonic()
        self._done = 0
        self._terminal = os.fdopen(os.dup(1), "w", buffering=1)  # pytest's own output goes elsewhere
        self.unnoticed: list[Mutant] = []

    def told(self, one: Mutant, test: str) -> None:
        self._done += 1
        if not test:
            self.unnoticed.append(one)
        word = f"noticed    {one}  {test}" if test else f"UNNOTICED  {one}  {', '.join(one.tests)}"
        print(f"[{self._done}/{self._count} {self._seconds:.0f} s] {word}", file=self._terminal)

    def summarise(self) -> None:
        for one in self.unnoticed:
            print(f"UNNOTICED  {one}  {', '.join(one.tests)}", file=self._terminal)
        noticed = self._done - len(self.unnoticed)
        print(
            f"{self._done} of {self._count} mutants in {self._seconds:.0f} s: {noticed} noticed, "
            f"{len(self.unnoticed)} not.",
            file=self._terminal,
        )

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begun


def main(wanted: list[str]) -> int:
    """Print each mutant and the test that noticed it; return how many none did, plus the broken tests.

    Raises RuntimeError when the tests could not run.
    """
    asked = set(wanted)
    chosen = [
        one for one in mutants() if not asked or asked & {one.field, one.owner, f"{one.owner}.{one.field}"}
    ]
    if not chosen:
        raise SystemExit(f"There is no field or class of this name: {', '.join(wanted)}")
    progress = Progress(len(chosen))
    try:
        with tempfile.TemporaryDirectory() as folder:
            broken = run(chosen, progress.told, Path(folder) / "pytest.txt")
    finally:
        progress.summarise()
    for test in broken:
        print(f"BROKEN  {test} fails on the server as it is.")
    return len(progress.unnoticed) + len(broken)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))

"""Faults of the Nth start of a process: it ends at once, is killed during its imports, or hangs there.

Python imports `sitecustomize` in each process that it starts, so that the processes of a worker, and those
that they start, meet the fault where a fault of the machine would meet them.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

Fault = Literal["exits", "is killed", "hangs", "cannot be executed"]
_SITECUSTOMIZE = """\
import fcntl, json, os, signal, sys, time
from importlib.abc import MetaPathFinder
from pathlib import Path

_HERE = Path(__file__).parent
_PLAN = json.loads((_HERE / "plan.json").read_text())


def _is_the_one():
    with (_HERE / "starts").open("a+") as starts:
        fcntl.flock(starts, fcntl.LOCK_EX)
        starts.write(f"{os.getpid()}\\n")
        starts.seek(0)
        number = len(starts.readlines())
    return _PLAN["first"] <= number <= _PLAN["last"]


class _Fault(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != _PLAN["imported"]:
            return None
        match _PLAN["fault"]:
            case "exits":
                os._exit(1)
            case "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs":
                time.sleep(3600)


if sys.orig_argv[1:3] == ["-m", _PLAN["module"]] and _is_the_one():
    sys.meta_path.insert(0, _Fault())
"""


@dataclass
class StartFaults:
    """The faults of one module's starts, numbered from `first` to `last`, while it imports `imported`."""

    folder: Path
    module: str

    @property
    def pids(self) -> list[int]:
        """The processes of this module that were started."""
        found = self.folder / "starts"
        return [int(line) for line in found.read_text().split()] if found.exists() else []


def begin(
    folder: Path,
    patch: pytest.MonkeyPatch,
    fault: Fault,
    *,
    module: str,
    imported: str,
    first: int = 1,
    last: int | None = None,
) -> StartFaults:
    """Have starts of `module` fail, by processes that inherit this one's environment."""
    folder.mkdir(parents=True, exist_ok=True)
    last = first if last is None else last
    plan = {"fault": fault, "module": module, "imported": imported, "first": first, "last": last}
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
    before = os.environ.get("PYTHONPATH")
    patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *([before] if before else [])]))
    return StartFaults(folder, module)


def without_program(patch: pytest.MonkeyPatch) -> None:
    """Have the system refuse to execute Python, until the patch is undone."""
    patch.setattr(sys, "executable", "/nowhere/python")

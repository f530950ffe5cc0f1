"""The npm packages of package.json, in node_modules beside it."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

NODE, NPM = shutil.which("node"), shutil.which("npm")
FOLDER = Path(__file__).parent
NEEDS_NODE = pytest.mark.skipif(not (NODE and NPM), reason="JAVASCRIPT NOT TRIED: no node and npm here")


def install() -> None:
    """Install the packages unless they are there: .ci/run has done it before the tests begin."""
    with (FOLDER / "package.json").open() as package:
        fcntl.flock(
            package, fcntl.LOCK_EX
        )  # until it is closed: tests of other files want them at the same time
        if (FOLDER / "node_modules" / "openai").exists():
            return
        quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(
            [str(NPM), "install", "--prefix", str(FOLDER), *quiet],
            check=True,
            capture_output=True,
            timeout=300,
        )

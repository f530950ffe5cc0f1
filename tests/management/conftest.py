"""The database that has lived through every schema, made once for the files that look at it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inference.core.config import BASE_DIR

Rows = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Its data folder, and the rows that were made on the way; a test that changes it takes a copy."""
    data = tmp_path_factory.mktemp("walked")
    command = [sys.executable, "-m", "tests.management.schema_walk", str(data / "rows.json")]
    subprocess.run(command, cwd=BASE_DIR, env=os.environ | {"MLX_SERVER_DATA_DIR": str(data)}, check=True)
    return data, json.loads((data / "rows.json").read_text())

"""A database that has its tables and no rows, made once for all processes of a run."""

import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from inference.core.config import BASE_DIR
from inference.core.data_folder import DATABASE


@functools.cache
def migrated_database() -> Path:
    """The file of the run; whoever needs it first makes it, for which others wait."""
    folder = Path(os.environ["MLXSITE_RUN_FOLDER"])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / DATABASE).exists():
            made = folder / "made"
            env = os.environ | {"MLX_SERVER_DATA_DIR": str(made)}
            command = [sys.executable, "manage.py", "migrate", "-v0"]
            subprocess.run(command, cwd=BASE_DIR, env=env, check=True)
            (made / DATABASE).rename(folder / DATABASE)
    return folder / DATABASE


def begin_with_tables(data: Path) -> None:
    """Give a data folder a copy, unless it has a database: a site that begins with one need not make them."""
    if not (data / DATABASE).exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(migrated_database(), data / DATABASE)

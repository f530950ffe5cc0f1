"""Starting and watching the served site from a test."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import psutil

from tests.migrated_database import begin_with_tables

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Site:
    """A site of its own process."""

    address: str
    process: "subprocess.Popen[str]"

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    @property
    def resident_mb(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)

    def streams(self) -> int:
        """How many requests the site's pool is serving, by its own account."""
        # Tests poll this; httpx.get reads all certificates first, which takes 40 ms of processor time.
        with urlopen(f"{self.address}/health", timeout=10) as answer:
            workers = json.load(answer)["workers"]
        return sum(worker["streams"] for worker in workers)


@contextmanager
def started(env: Mapping[str, str] | None = None, *, log: IO[str] | None = None) -> Iterator[Site]:
    """A site for as long as the block runs; what it logs goes to `log`."""
    begin_with_tables(Path((env or os.environ)["MLX_SERVER_DATA_DIR"]))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.api.openai.served"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout
    try:
        yield Site(process.stdout.readline().strip(), process)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def eventually(holds: Callable[[], bool], within_s: float = 5.0) -> bool:
    """Whether `holds` becomes true in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

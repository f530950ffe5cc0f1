"""A real site for the end-to-end tests: `manage.py serve` in a process of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

import psutil

from tests.migrated_database import begin_with_tables

ROOT = Path(__file__).resolve().parent.parent.parent
STARTER, TWIN = "SmolLM2-135M-Instruct", "Twin-of-SmolLM2"


class Site:
    """`with Site(data_dir) as site:` starts it on a free port, keeps what it prints, and ends it.

    With `is_new` it makes its database itself, as on a machine that never had one.
    """

    program: Sequence[str] = (sys.executable, "manage.py")
    folder = ROOT  # where it is started

    def __init__(
        self, data_dir: Path, *options: str, env: dict[str, str] | None = None, is_new: bool = False
    ) -> None:
        self._is_new = is_new
        self.data_dir = data_dir
        self._command = [*self.program, "serve", "--port", "0", *options]
        own = {"MLX_SERVER_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLX_SERVER_")}
        kept.pop("HF_HUB_OFFLINE", None)
        self._env = (
            kept
            | own
            | {"MLX_SERVER_USE_HUB_CACHE": "false", "MLX_SERVER_CPU_CALIBRATION": "off"}
            | {"MLX_SERVER_SPARE_WORKER": "false"}  # two seconds of processor time for each site
            | (env or {})
        )
        self._lines: list[str] = []
        self._is_ready = threading.Event()
        self.url = ""
        self.cookies: dict[str, list[Any]] = {}  # of those who signed in, by name

    def __enter__(self) -> Self:
        if not self._is_new:
            begin_with_tables(self.data_dir)
        self.process = subprocess.Popen(
            self._command,
            cwd=self.folder,
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def wait_ready(self, timeout_s: float = 420) -> Self:
        if not self._is_ready.wait(timeout_s):
            self.process.kill()
            raise AssertionError(f"the site did not start:\n{self.output}")
        if not self.url:
            raise AssertionError(f"the site ended instead of starting:\n{self.output}")
        return self

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "inference.worker" in " ".join(child.cmdline())]

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 20) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the site did not stop:\n{self.output}") from None

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            self._read_lines(output)

    def _read_lines(self, output: IO[str]) -> None:
        for line in output:
            self._lines.append(line)
            if found := re.search(r"Playground\s+(http://\S+?)/\s", line):
                self.url = found[1]
            if "Press Ctrl-C" in line:
                self._is_ready.set()
        self._is_ready.set()


def wait_until_gone(pids: Sequence[int], timeout_s: float = 15) -> list[int]:
    """The pids still alive after at most `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while (left := [pid for pid in pids if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def holder(site: Site) -> psutil.Process:
    """The worker that holds a model: the one with the most memory."""
    return max(site.workers, key=lambda worker: worker.memory_info().rss)


def fresh_dir() -> Path:
    return Path(tempfile.mkdtemp(prefix="mlxsite-e2e-"))


def add_starter(models_dir: Path, data: Path, *names: str) -> None:
    """Give a data folder the starter model under these names, and what is known of it.

    Without the stored result of its verification, each site would compute that again, for seconds.
    """
    for name in names:
        shutil.copytree(models_dir / STARTER, data / "models" / name, copy_function=os.link)
    verified = models_dir.parent / "batch_support"
    if verified.exists():
        shutil.copytree(verified, data / "batch_support")


@contextmanager
def narrow_site(models_dir: Path, **limits: str) -> Iterator[Site]:
    """A site with room for one of its two real models: the starter and its twin."""
    folder = fresh_dir()
    add_starter(models_dir, folder, STARTER, TWIN)
    limits |= {"MLX_SERVER_MEMORY_LIMIT": "1100MB", "MLX_SERVER_MIN_RESIDENCY_S": "0"}
    with Site(folder, "--no-starter", env=limits) as site:
        yield site.wait_ready(60)
    shutil.rmtree(folder, ignore_errors=True)

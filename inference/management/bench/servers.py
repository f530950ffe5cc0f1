"""Servers as processes: started on free loopback ports, queried, and always ended. Peers are in peers.py."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from inference.core import calibration_file
from inference.core.config import BASE_DIR
from inference.core.pool_state import ModelState, PoolSnapshot
from inference.core.subprocess_environment import for_our_modules
from inference.management.bench import client
from inference.management.bench.address import ServerAddress
from inference.management.bench.timed_answer import AnswerRound, IncompleteAnswer

_START_S = 120.0
_STOP_S = 15.0
_POLL_S = 0.01
_LOG_LINES = 5
_INHERITED = {
    "MLX_SERVER_DEVICE",
    "MLX_SERVER_BLAS",
    "MLX_SERVER_CPU_CALIBRATION",
    "MLX_SERVER_CPU_KERNELS",
    "MLX_SERVER_CPU_THREADS",
    "MLX_SERVER_CPU_LAYOUT",
}  # the operator's settings that both servers are run with


class ServerEnded(Exception):
    """A server has ended or does not work; the message has the last lines of its log."""


class Server(ABC):
    """One server process; a context manager that ends it."""

    name = ""
    serves_folders = True  # whether a request's model may be any folder of the run
    health = "/health"  # answers 200 once it can be asked

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path, port: int) -> None:
        self._command = command
        self._env = {**env, "PYTHONUNBUFFERED": "1"}
        self._log = log
        self.port = port
        self.address = ServerAddress(port)
        self.count_tokens: Callable[[str], int] | None = None  # for answers without a usage
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # also Ctrl-C: `with` calls __exit__ only after a complete __enter__
            self.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @abstractmethod
    def model(self, folder: Path) -> str:
        """This server's name for the model in `folder`."""

    def start(self) -> float:
        """Start, wait until /health responds with 200, and return the seconds that took."""
        with self._log.open("ab") as log:
            started = time.perf_counter()
            self._process = subprocess.Popen(
                self._command, cwd=BASE_DIR, env=self._env, stdout=log, stderr=subprocess.STDOUT
            )
        asyncio.run(self._wait_until_healthy(started + _START_S))
        return time.perf_counter() - started

    def stop(self) -> None:
        """Terminate it, and kill it if it does not end in time; idempotent."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(
        self,
        folder: Path,
        requests: Sequence[Mapping[str, Any]],
        *,
        limit_s: float = 600,
        after_s: Sequence[float] = (),
    ) -> AnswerRound:
        """Send `requests` to the model in `folder`, at once or `after_s` seconds; raises ServerEnded."""
        self.check_alive()
        bodies = [{**request, "model": self.model(folder)} for request in requests]
        answered = asyncio.run(client.ask_together(self.address, bodies, limit_s=limit_s, after_s=after_s))
        return answered.counted(self.count_tokens) if self.count_tokens else answered

    def check_alive(self) -> None:
        if self._process is None or self._process.poll() is not None:
            status = self._process.returncode if self._process else "never started"
            raise ServerEnded(f"{self.name} ended ({status}): {self._last_log_lines()}")

    async def _wait_until_healthy(self, deadline: float) -> None:
        while time.perf_counter() < deadline:
            self.check_alive()
            try:
                await client.fetch(self.address, "GET", self.health)
            except IncompleteAnswer as error:
                raise ServerEnded(f"{self.name} is not healthy ({error}): {self._last_log_lines()}") from None
            except (OSError, EOFError):
                await asyncio.sleep(_POLL_S)  # it does not listen yet
            else:
                return
        raise ServerEnded(f"{self.name} did not start within {_START_S:g} s: {self._last_log_lines()}")

    def _last_log_lines(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return " / ".join(lines[-_LOG_LINES:])


class Ours(Server):
    """`manage.py serve` with a data folder of its own."""

    name = "ours"

    def __init__(
        self,
        models: Path,
        scratch: Path,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        port = port or free_port()
        data = scratch / f"data-{port}"
        data.mkdir(exist_ok=True)
        if (measured := scratch / calibration_file.NAME).exists():
            shutil.copy(measured, data)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or not name.startswith("MLX_SERVER_")
        }
        own = {"MLX_SERVER_DATA_DIR": str(data), "MLX_SERVER_USE_HUB_CACHE": "false"}
        env = inherited | for_our_modules() | own | dict(settings or {})
        options = ["--port", str(port), "--models-dir", str(models), "--no-starter"]
        super().__init__(
            [sys.executable, "-m", "mlxsite", "serve", *options], env, scratch / "ours.log", port
        )

    def model(self, folder: Path) -> str:
        return folder.name

    def pool(self) -> PoolSnapshot:
        return asyncio.run(self.pool_now())

    async def pool_now(self) -> PoolSnapshot:
        return msgspec.convert(await client.fetch(self.port, "GET", "/api/pool"), PoolSnapshot)

    def tokens_of(self, folder: Path, text: str) -> int:
        """How many tokens the model has for a text."""
        body = {"model": self.model(folder), "prompt": text, "add_special_tokens": False}
        counted: int = asyncio.run(client.fetch(self.port, "POST", "/tokenize", body))["count"]
        return counted

    def act(self, action: str, folder: Path) -> None:
        """Load or unload a model, and wait until that is done."""
        state = {"load": ModelState.READY, "unload": ModelState.UNLOADED}[action]
        asyncio.run(client.fetch(self.port, "POST", f"/api/models/{action}", {"model": self.model(folder)}))
        self.wait_for(lambda pool: pool.of(self.model(folder)).state == state, f"to {action} a model")

    def wait_for(
        self, condition: Callable[[PoolSnapshot], bool], purpose: str, limit_s: float = 120
    ) -> PoolSnapshot:
        """The first snapshot of the pool that meets `condition`; raises ServerEnded after `limit_s`."""
        deadline = time.perf_counter() + limit_s
        while time.perf_counter() < deadline:
            self.check_alive()
            if condition(pool := self.pool()):
                return pool
            time.sleep(_POLL_S)
        raise ServerEnded(f"{self.name} took longer than {limit_s:g} s {purpose}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

"""A real Redis of a test's own, on a port of loopback, and the fronts that share it in this process."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from inference.fronts.front import Front
from inference.fronts.handlers import Handlers

PROGRAM = shutil.which("redis-server")
PASSWORD = "a-password-of-the-tests"
needs_redis = pytest.mark.skipif(
    PROGRAM is None, reason="no redis-server here; `apt-get install redis-server`"
)
_START_S = 20.0


class RedisServer:
    """It can be ended, hung and started again at the same address; it keeps nothing on the disk."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
        self.shown = f"redis://127.0.0.1:{port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "requirepass": PASSWORD}
        named = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        command = [PROGRAM or "redis-server", *named, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("the Redis does not listen")

    def stop(self) -> None:
        """End it at once; what it had is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections and answers nothing while the block runs."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A Redis while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = RedisServer(folder, int(probe.getsockname()[1]))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def front_of(server: RedisServer, handlers: Handlers | None = None) -> AsyncIterator[Front]:
    """A front with handlers of its own, which lives while the block runs."""
    front = Front(
        server.url, RedisPubSubChannelLayer(hosts=[server.url], prefix="tests"), handlers or Handlers()
    )
    task = asyncio.create_task(front.run())
    await until(lambda: not front.is_lost)
    try:
        yield front
    finally:
        task.cancel()
        await front.close()


async def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until this is so."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)

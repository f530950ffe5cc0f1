"""A process that a worker starts beside itself, for work that may crash, loop or fill the memory.

It runs one of our modules and speaks frames (pipe_frames.py) through its standard input and output: first it
writes `READY`.
"""

import logging
import math
import os
import subprocess
import sys
import time
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import BinaryIO, cast

import psutil

from inference.core.errors import InternalError, Unavailable
from inference.core.subprocess_environment import for_our_modules
from inference.worker import pipe_frames

logger = logging.getLogger(__name__)
_START_S = 120.0  # for its imports: the machine may be busy
_TRIES = 2  # what ends one start, such as a lack of memory, may be over at the next
_RETRY_S = 5.0
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each thread has memory of its own
_running: "set[subprocess.Popen[bytes]]" = set()


class HelperProcess:
    """Starts its process when it is needed, and another one after its end. For one thread at a time."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._give_up_at = math.inf  # a start that took so long hangs

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process unless it runs, and do not wait for its imports; raises Unavailable."""
        if self._process is not None and (code := self._process.poll()) is not None:
            logger.warning("%s has ended with code %d", self._module, code)
            self.close()
        if self._process is None:
            self._process = self._spawn()
            self._give_up_at = time.monotonic() + _START_S

    def ready(self, until: float = math.inf) -> "subprocess.Popen[bytes]":
        """The process, once it can take work.

        Raises Unavailable where it is not ready at `until`, or hangs, and InternalError where it ends again
        and again during its imports.
        """
        for _ in range(_TRIES):
            self.start()
            if self._is_ready or self._becomes_ready(until):
                return cast("subprocess.Popen[bytes]", self._process)
            logger.error("%s ended before it was ready", self._module)
            self.close()
        raise InternalError("The prompt could not be prepared; see the server's log.")

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process, self._is_ready = self._process, None, False
        if process is not None:
            pipe_frames.end(process)
            _running.discard(process)

    def restart(self) -> None:
        """End the process, and have another one ready for the next work."""
        self.close()
        with suppress(Unavailable):  # it is logged, and the next work starts one
            self.start()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", self._module]
        environment = os.environ | for_our_modules() | _ONE_THREAD
        try:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            logger.error("Cannot start %s: %s", self._module, error)
            raise Unavailable(
                "The system cannot start the process that prepares prompts; try again.", retry_after=_RETRY_S
            ) from error
        _running.add(process)
        return process

    def _becomes_ready(self, until: float) -> bool:
        """Wait for the end of its imports; False where it ended. Raises Unavailable if it takes too long."""
        source = cast("BinaryIO", cast("subprocess.Popen[bytes]", self._process).stdout)
        if has_answered(source, max(0.0, min(until, self._give_up_at) - time.monotonic())):
            self._is_ready = pipe_frames.read(source) == pipe_frames.READY
            return self._is_ready
        if time.monotonic() >= self._give_up_at:
            logger.error("%s was not ready after %.0f s: ending it", self._module, _START_S)
            self.close()
        raise Unavailable("The machine is too busy to prepare the prompt in time.", retry_after=_RETRY_S)


def has_answered(source: BinaryIO, timeout_s: float) -> bool:
    """Whether there is something to read, or an end, within this time."""
    with DefaultSelector() as selector:
        selector.register(source, EVENT_READ)
        return bool(selector.select(timeout_s))


def resident_bytes(pid: int) -> int:
    """The resident memory of a process; 0 where it has just ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def memory() -> int:
    """The resident memory of all helper processes of this process; may be called on any thread."""
    return sum(resident_bytes(process.pid) for process in list(_running))


def kill_all() -> None:
    """Kill all of them: one that hangs in its imports does not notice the end of its input."""
    for process in list(_running):
        process.kill()

"""A worker as a child process: its spawn, its socket and its end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping

from inference.core import log_lines, protocol
from inference.core.cpu_tuning import CpuTuning
from inference.core.subprocess_environment import of_workers

logger = logging.getLogger(__name__)
_STOP_GRACE_S = 3.0
_LONGEST_LINE = 2**20  # of a worker's log, in bytes
_EXIT_GRACE_S = 0.5  # between the end of a worker's stream and its exit status


class ChildProcess:
    """`python -m inference.worker` with an inherited socket.

    Each side notices the end of the other one by the end of the socket's stream.
    """

    def __init__(self, blas: str) -> None:
        self._blas = blas
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._log: asyncio.Task[None] | None = None
        self.pipes: tuple[int, ...] = ()  # to the other ranks of its model, which it inherits
        self.variables: Mapping[str, str] = {}  # further ones of its environment
        self.was_killed = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def has_started(self) -> bool:
        return self._process is not None

    async def start(self, tuning: CpuTuning) -> asyncio.StreamReader:
        """Spawn the process and return the stream of its frames; raises OSError."""
        ours, theirs = socket.socketpair()
        # Our own pipe: asyncio would wait for the end of every process that inherited its pipe.
        log_out, log_in = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "inference.worker"),
                *("--fd", str(theirs.fileno()), "--blas", self._blas),
                *(["--follow-load"] if tuning.follows_load() else []),
                *(["--rank-pipes", *map(str, self.pipes)] if self.pipes else []),
                pass_fds=[theirs.fileno(), *self.pipes],
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log_in,
                env=of_workers() | tuning.environment() | dict(self.variables),
                # Ctrl-C in the terminal is the site's to handle; it ends its workers in order.
                start_new_session=True,
            )
        except OSError:
            ours.close()
            os.close(log_out)
            raise
        finally:
            theirs.close()
            os.close(log_in)
        self._log = asyncio.create_task(relay(log_out, f"worker[{self._process.pid}]"))
        reader, self._writer = await asyncio.open_connection(sock=ours)
        return reader

    def send(self, frame: protocol.Down) -> None:
        """Queue a frame; without effect before the start and after `close_socket`.

        Raises protocol.FrameTooLarge.
        """
        if self._writer:
            self._writer.write(protocol.encode(frame))

    def close_socket(self) -> None:
        """Send no more frames; a worker that still runs ends itself."""
        if self._writer:
            self._writer.close()
            self._writer = None

    async def exit_code(self) -> int | None:
        """The exit status, if it is known soon after the last frame; negative for a signal."""
        if not self._process:
            return None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _EXIT_GRACE_S)
        return self._process.returncode

    def kill(self) -> None:
        # Our own child, not reaped yet: its pid cannot belong to another process.
        if self._process and self._process.returncode is None:
            self.was_killed = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def reap(self) -> None:
        """Wait for the end of the process, and kill it when it takes too long.

        Its stream is over, so nothing that it still computes can reach a request. Processes that it has
        started are killed after it: one that hangs does not notice that it has ended.
        """
        if not self._process:
            return
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_GRACE_S)
        except TimeoutError:
            logger.warning("Worker %s did not end by itself; killing it", self._process.pid)
            self.kill()
            await self._process.wait()
        _kill_group(self._process.pid)
        if self._log:  # its last lines say why it ended
            await asyncio.wait([self._log], timeout=_EXIT_GRACE_S)


def _kill_group(leader: int) -> None:
    """Kill what is left of the process group of a worker that has just ended.

    The system gives its number to no other process while there is one of the group. macOS forbids it where
    only processes are left that have ended.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


async def relay(log: int, process: str) -> None:
    """Log what a worker writes to a pipe, until its end."""
    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    reading = asyncio.StreamReaderProtocol(lines)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: reading, os.fdopen(log, "rb", buffering=0)
    )
    with contextlib.closing(transport):
        while line := await _line(lines):
            log_lines.relay(line.decode(errors="replace").strip(), process)


async def _line(lines: asyncio.StreamReader) -> bytes:
    """The next line, empty at the end; one that is longer than a line may be is left out."""
    while True:
        try:
            return await lines.readline()
        except ValueError:
            continue

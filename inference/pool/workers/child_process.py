"""A worker as a child process: its spawn, its socket and its end."""

import asyncio
import contextlib
import logging
import socket
import sys

from inference.core import log_lines, protocol
from inference.core.cpu_tuning import CpuTuning
from inference.core.subprocess_environment import of_workers

logger = logging.getLogger(__name__)
_STOP_GRACE_S = 3.0
_EXIT_GRACE_S = 0.5  # between the end of a worker's stream and its exit status


class ChildProcess:
    """`python -m inference.worker` with an inherited socket.

    Each side notices the end of the other one by the end of the socket's stream.
    """

    def __init__(self, blas: str) -> None:
        self._blas = blas
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def has_started(self) -> bool:
        return self._process is not None

    async def start(self, tuning: CpuTuning) -> asyncio.StreamReader:
        """Spawn the process and return the stream of its frames; raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "inference.worker"),
                *("--fd", str(theirs.fileno()), "--blas", self._blas),
                *("--log-format", log_lines.format_of_process()),
                *(["--follow-load"] if tuning.follows_load() else []),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env=of_workers() | tuning.environment(),
                # Ctrl-C in the terminal is the site's to handle; it ends its workers in order.
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
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
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def reap(self) -> None:
        """Wait for the end of the process, and kill it when it takes too long.

        Its stream is over, so nothing that it still computes can reach a request.
        """
        if not self._process:
            return
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_GRACE_S)
        except TimeoutError:
            logger.warning("Worker %s did not end by itself; killing it", self._process.pid)
            self.kill()
            await self._process.wait()

"""A process of its own that makes a model folder: it may be killed, and its errors end it alone."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

from inference.core.subprocess_environment import of_workers

_LONGEST_REASON = 300


class ConversionFailed(Exception):
    """The process ended with an error; the message is the last line that it wrote about it."""


class ConversionProcess:
    """One run of `python -m MODULE ARGUMENTS`.

    Its standard input is a pipe that is never written to: the process ends itself when that ends, which is
    when this process is gone, however it went.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_killed = False

    def run(self, on_line: Callable[[bytes], None] = lambda line: None) -> None:
        """Run it to its end; `on_line` gets each line of its standard output.

        Raises ConversionFailed, and OSError when it cannot be started. The process is gone afterwards, also
        after an exception of `on_line`.
        """
        leash, end = os.pipe()
        try:
            with tempfile.TemporaryFile() as errors:
                process = self._start(leash, errors.fileno())
                with process:  # waits, and closes its output
                    _read(process, on_line)
                if process.returncode:
                    errors.seek(0)
                    raise ConversionFailed(_reason(errors.read(), process.returncode))
        finally:
            os.close(leash)
            os.close(end)

    def kill(self) -> None:
        """Kill it, from another thread; `run` raises ConversionFailed then. Idempotent."""
        with self._lock:
            self._is_killed = True
            if self._process:
                self._process.kill()

    def _start(self, leash: int, errors: int) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._is_killed:
                raise ConversionFailed("it was stopped before it began")
            # A session of its own: Ctrl-C is for this process, which then ends that one.
            self._process = subprocess.Popen(
                self._command,
                stdin=leash,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=of_workers(),
                start_new_session=True,
            )
            return self._process


def _read(process: "subprocess.Popen[bytes]", on_line: Callable[[bytes], None]) -> None:
    try:
        for line in process.stdout or ():
            on_line(line)
    except BaseException:
        process.kill()
        raise


def _reason(errors: bytes, status: int) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return lines[-1][:_LONGEST_REASON] if lines else f"the process ended with status {status}"

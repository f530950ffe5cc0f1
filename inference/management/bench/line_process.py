"""A process that answers each line of its input with one line: a measurement without a server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from inference.core.blas import Blas
from inference.core.config import BASE_DIR

_STOP_S = 10


class RawEnded(Exception):
    """The process has ended; its output is on stderr."""


class LineProcess:
    """`python -m MODULE` for a model; a context manager that ends it."""

    name = ""
    module = ""

    def __init__(self, model: Path, blas: Blas) -> None:
        options = ["--model", str(model), "--device", os.environ.get("MLX_SERVER_DEVICE", "auto")]
        if blas.path:
            options += ["--blas", blas.path]
        self._command = [sys.executable, "-m", self.module, *options]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def answer(self, line: str) -> str:
        """The answer to one line; raises RawEnded."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RawEnded(f"{self.name} was not started")
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RawEnded(f"{self.name} ended") from None
        answer = self._process.stdout.readline()
        if not answer:
            raise RawEnded(f"{self.name} ended")
        return answer

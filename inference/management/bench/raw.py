"""mlx-lm's BatchGenerator in a process without a server: the upper limit for a server that uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from inference.core.blas import Blas
from inference.core.config import BASE_DIR

_STOP_S = 10


class RawEnded(Exception):
    """The process has ended; its output is on stderr."""


class RawRound(Struct, frozen=True, kw_only=True):
    """One round as inference/worker/baseline.py reports it, with the fields of client.Round."""

    tokens: int
    request_rate: float
    decode_rate: float


class Raw:
    """The process with its model loaded; a context manager that ends it."""

    name = "BatchGenerator"

    def __init__(self, model: Path, blas: Blas) -> None:
        options = ["--model", str(model), "--device", os.environ.get("MLX_SERVER_DEVICE", "auto")]
        if blas.path:
            options += ["--blas", blas.path]
        self._command = [sys.executable, "-m", "inference.worker.baseline", *options]

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

    def ask(self, requests: Sequence[Mapping[str, Any]]) -> RawRound:
        """Run one round with the requests that a server would receive; raises RawEnded."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RawEnded(f"{self.name} was not started")
        try:
            self._process.stdin.write(json.dumps(list(requests)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RawEnded(f"{self.name} ended") from None
        line = self._process.stdout.readline()
        if not line:
            raise RawEnded(f"{self.name} ended")
        return msgspec.json.decode(line, type=RawRound)

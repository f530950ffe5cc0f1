"""Finds out once on each machine which kernels, threads and layouts are fastest, in a process of its own."""

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from inference.core import calibration_file
from inference.core.blas import Blas, best_blas
from inference.core.calibration_file import Calibration, CalibrationKey, Candidate
from inference.core.cpu_tuning import CpuTuning
from inference.core.subprocess_environment import of_workers

logger = logging.getLogger(__name__)
LIMIT_S = 3.0
_END_S = 0.4  # of these for the end of the process
_COMMAND = (sys.executable, "-m", "inference.worker.calibration")


class Measured(Struct, frozen=True, kw_only=True):
    """What the process prints."""

    tuning: CpuTuning
    candidates: tuple[Candidate, ...]


class CalibrationFailed(Exception):
    """The process failed, took too long, or printed something else; the message says which."""


class Calibrator:
    """The tuning of this machine's CPU workers; may be asked on any thread.

    One process measures at a time, also among several sites with one data folder. A failure is remembered
    until this process ends, so it delays one start of a worker at most.
    """

    def __init__(
        self,
        data_dir: Path,
        blas: str = "",
        *,
        is_on: bool = True,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        self._data_dir = data_dir
        self._blas = blas
        self._is_on = is_on
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._failure = ""

    @property
    def failure(self) -> str:
        """Why the last measurement gave nothing; empty if it did, or if there was none."""
        return self._failure

    def tuning(self) -> CpuTuning:
        """The stored tuning, measured now if there is none; the default where nothing can be measured."""
        calibration = self.calibration()
        return calibration.tuning if calibration else CpuTuning()

    def calibration(self) -> Calibration | None:
        """The stored calibration, or a new one; None if it is off, needless or has failed."""
        blas = best_blas(self._blas)
        if not (self._is_on and blas.path) or self._failure:
            return None
        key = calibration_file.this_key(blas)
        if found := calibration_file.read(self._data_dir, key):
            return found
        with self._lock:
            return self._measured_once(blas, key)

    def _measured_once(self, blas: Blas, key: CalibrationKey) -> Calibration | None:
        if self._failure:
            return None
        try:
            with _file_lock(self._data_dir, time.monotonic() + LIMIT_S):
                # Another thread or process may have measured meanwhile.
                return calibration_file.read(self._data_dir, key) or self._new(blas, key)
        except (OSError, CalibrationFailed) as error:
            self._failure = str(error)
            logger.warning("CPU workers use the default kernels: the calibration failed: %s", error)
            return None

    def _new(self, blas: Blas, key: CalibrationKey) -> Calibration:
        logger.info("Measuring the kernels of %s for this processor, once: at most %g s", blas.name, LIMIT_S)
        started = time.monotonic()
        until = started + LIMIT_S - _END_S
        measured = _measure([*self._command, "--blas", blas.path, "--until", str(until)])
        calibration = Calibration(
            key=key,
            tuning=measured.tuning,
            seconds=round(time.monotonic() - started, 2),
            candidates=measured.candidates,
        )
        calibration_file.write(self._data_dir, calibration)
        logger.info("CPU workers multiply with %s", calibration.tuning)
        return calibration


def _measure(command: Sequence[str]) -> Measured:
    """Run the process within the limit, and end it with all that it has started; raises CalibrationFailed."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=of_workers(),
        start_new_session=True,
    )
    try:
        printed, errors = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise CalibrationFailed(f"it took longer than {LIMIT_S:g} s") from None
    finally:
        # Its own session, whose number no other process can have before it is reaped.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
    if process.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise CalibrationFailed(f"it ended with status {process.returncode}: {last}")
    try:
        return msgspec.json.decode(printed, type=Measured)
    except msgspec.MsgspecError as error:
        raise CalibrationFailed(f"it printed no result ({error})") from None


@contextmanager
def _file_lock(data_dir: Path, deadline: float) -> Iterator[None]:
    """Hold the lock of the data folder; raises CalibrationFailed if another process keeps it too long."""
    with open(os.open(data_dir / "cpu-calibration.lock", os.O_RDWR | os.O_CREAT, 0o600)) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise CalibrationFailed("another process measures for too long") from None
                time.sleep(0.05)
        yield

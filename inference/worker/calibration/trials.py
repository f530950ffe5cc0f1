"""One process for each choice of kernels and threads, because OpenBLAS reads them when it is loaded."""

import json
import os
import signal
import time
from contextlib import suppress
from select import select

from inference.worker.calibration.choice import KernelChoice, Times
from inference.worker.calibration.products import Buffers, Timer, products

_SPIN = (
    "20"  # threads of OpenBLAS that wait stop spinning after 2**20 cycles, and leave the cores to the next
)


class TrialProcess:
    """A process that multiplies when it is asked to; it shares the numbers with this process.

    One that the processor cannot run ends with a signal, and counts as not measured.
    """

    def __init__(self, choice: KernelChoice, blas: str, buffers: Buffers, *, is_alone: bool) -> None:
        self.choice = choice
        self.kernels = choice.kernels  # in force, once it is measured
        questions, self._ask = os.pipe()
        self._answer, answers = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._ask)
            os.close(self._answer)
            _serve(choice, blas, buffers, is_alone, questions, answers)
        os.close(questions)
        os.close(answers)
        self._is_alive = True

    def measure(self, deadline: float) -> Times | None:
        """The times of one round; None if the process or the time (monotonic) ends before."""
        if not self._is_alive or time.monotonic() >= deadline:
            return None
        with suppress(BrokenPipeError):
            os.write(self._ask, b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select([self._answer], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._answer, 65536) if ready else b""
            if not piece:  # what comes later would be taken for the next round
                self._is_alive = False
                return None
            answer += piece
        self.kernels, seconds = json.loads(answer)
        return dict(zip(products(), seconds, strict=True))

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._ask)
        os.close(self._answer)


def _serve(
    choice: KernelChoice, blas: str, buffers: Buffers, is_alone: bool, questions: int, answers: int
) -> None:
    """Never returns."""
    try:
        os.environ["OPENBLAS_THREAD_TIMEOUT"] = _SPIN
        if choice.kernels:
            os.environ["OPENBLAS_CORETYPE"] = choice.kernels
        if choice.threads:
            os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(choice.threads)))
        timer = Timer(blas, buffers)
        # Alone, a thread is not slower for the time in which another program has its core.
        clock = time.thread_time if choice.threads == 1 and is_alone else time.perf_counter
        while os.read(questions, 1):
            seconds = [timer.seconds(product, clock) for product in products()]
            os.write(answers, json.dumps([timer.kernels, seconds]).encode() + b"\n")
    finally:
        os._exit(1)

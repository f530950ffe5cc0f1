"""`python -m inference.worker.calibration --blas PATH`: print the best tuning of this machine's CPU workers.

1. Measure the default, and each set of kernels that the processor may run, with one thread: several wait for
   each other, so that other programs disturb them more.
2. Measure the best of them with more threads. If the machine is too busy for that, the number is not chosen.

Each part takes turns until its time is over, and the shortest times count.
MLX is not needed: its matrix products are calls of `cblas_sgemm`.
"""

import argparse
import platform
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from inference.core import blas_binding
from inference.core.blas import default_environment, processor_flags
from inference.core.calibration import Measured
from inference.core.calibration_file import Candidate, cores
from inference.core.cpu_tuning import CpuTuning
from inference.worker.calibration.choice import KernelChoice, Times, best, by_row, cost, fastest
from inference.worker.calibration.products import Buffers
from inference.worker.calibration.trials import TrialProcess

_SECONDS = 2.5
_KERNELS_SHARE = 0.6  # of the time
_ROUNDS = 5  # at most, in each of the two parts


def main() -> None:
    parser = argparse.ArgumentParser(prog="inference.worker.calibration")
    parser.add_argument("--blas", required=True, help="the library to measure")
    parser.add_argument("--until", type=float, help="when to end: seconds of the system's monotonic clock")
    options = parser.parse_args()
    started = time.monotonic()
    blas_binding.check_complete(Path(options.blas))
    seconds = options.until - started if options.until else _SECONDS
    measured = Measurement(options.blas, started, seconds).run()
    print(msgspec.json.encode(measured).decode())


class Measurement:
    """One run of the process."""

    def __init__(self, blas: str, started: float, seconds: float) -> None:
        self._blas = blas
        self._started, self._seconds = started, seconds
        self._buffers = Buffers()
        self._default = default_environment(blas).get("OPENBLAS_CORETYPE", "")
        self._names: dict[str, str] = {}  # of the kernels in force, by those that were asked for

    def run(self) -> Measured:
        """The result; RuntimeError if the default kernels could not be measured in time."""
        names = dict.fromkeys([self._default, *kernel_names()])
        alone = KernelChoice(self._default, 1)
        of_kernels = self._times([KernelChoice(name, 1) for name in names], self._seconds * _KERNELS_SHARE)
        if alone not in of_kernels:
            raise RuntimeError("the default kernels could not be measured in time")
        kernels = best(of_kernels, alone).kernels
        counts = [1, *more_threads(cores())]
        of_threads = self._times([KernelChoice(kernels, count) for count in counts], self._seconds)
        chosen = (
            best(of_threads, KernelChoice(kernels, 1))
            if len(of_threads) == len(counts)
            else KernelChoice(kernels)
        )
        return Measured(
            tuning=CpuTuning(
                kernels="" if kernels == self._default else self._names[kernels],
                threads=chosen.threads,
                by_row=by_row(of_kernels[KernelChoice(kernels, 1)]),
            ),
            candidates=(
                *self._candidates(of_kernels, alone),
                *(self._candidates(of_threads, chosen) if chosen.threads else ()),
            ),
        )

    def _times(self, choices: Sequence[KernelChoice], until_s: float) -> dict[KernelChoice, Times]:
        """Rounds of all of these, by turns; of two with the same kernels only the first goes on.

        On a machine that is busy, the first one alone may take all of the time.
        """
        deadline = self._started + until_s
        is_alone = all(choice.threads == 1 for choice in choices)
        trials = [TrialProcess(choice, self._blas, self._buffers, is_alone=is_alone) for choice in choices]
        rounds: dict[KernelChoice, list[Times]] = defaultdict(list)
        try:
            for _ in range(_ROUNDS):
                seen: set[tuple[str, int]] = set()
                for trial in trials:
                    is_new = (trial.kernels, trial.choice.threads) not in seen
                    limit = deadline if rounds else self._started + self._seconds
                    if is_new and (times := trial.measure(limit)):
                        rounds[trial.choice].append(times)
                        self._names[trial.choice.kernels] = trial.kernels
                    seen.add((trial.kernels, trial.choice.threads))
        finally:
            for trial in trials:
                trial.end()
        return {choice: fastest(found) for choice, found in rounds.items()}

    def _candidates(self, measured: Mapping[KernelChoice, Times], usual: KernelChoice) -> Iterator[Candidate]:
        for choice, times in measured.items():
            relative = cost(times) / cost(measured[usual])
            yield Candidate(
                kernels=self._names[choice.kernels],
                threads=choice.threads,
                relative_time=round(relative, 3),
            )


def kernel_names() -> list[str]:
    """Kernels of OpenBLAS that may be better than its own choice; one that cannot run ends its trial only."""
    if platform.machine() == "aarch64":
        return ["", "NEOVERSEN1", "ARMV8"]
    flags = processor_flags()
    has_avx512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= flags
    has_avx2 = {"avx2", "fma"} <= flags
    return ["", *(["SkylakeX"] * has_avx512), *(["Haswell", "Zen"] * has_avx2)]


def more_threads(count: int) -> list[int]:
    """Numbers of threads above one that are worth a trial on this number of cores."""
    return sorted({count // 4, count // 2, count} - {0, 1})


if __name__ == "__main__":
    main()

"""How many threads the BLAS of a worker uses: as many as cores are free.

The threads of OpenBLAS wait for each other in a loop that does not give up its core. If another program has
the core of one of them, the others wait for a whole turn of the scheduler, at every product: on two busy
cores, two threads may take a hundred times as long as one (docs/performance.md).
"""

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_SPARE = 0.4  # of a core that others may use without being given the whole core
_SMOOTHING = 0.5  # weight of the newest measurement
_IDLE_FIELDS = (3, 4)  # of a processor's line in /proc/stat: idle, and waiting for a disk
_BUSY_FIELDS = 8  # the fields after these are part of the first ones


class SetThreads(Protocol):
    def __call__(self, count: int, /) -> object: ...


@dataclass(frozen=True)
class CoreTimes:
    """Seconds of processor time since the start of the system, at one moment."""

    at: float  # time.monotonic
    busy: float  # on the cores that this process may use, by all programs
    own: float  # by this process


class BlasThreads:
    """Sets the number of threads; `adjust` is called about once a second, on any thread."""

    def __init__(
        self, set_threads: SetThreads, maximum: int, cores: int, read: "Callable[[], CoreTimes | None]"
    ) -> None:
        self._set_threads = set_threads
        self._maximum = maximum
        self._cores = cores
        self._read = read
        self._last: CoreTimes | None = None
        self._others = 0.0  # cores that other programs use, smoothed
        self.count = maximum

    def adjust(self) -> None:
        """Follow what other programs have used since the last call."""
        last, now = self._last, self._read()
        self._last = now
        if last is None or now is None or now.at <= last.at:
            return
        others = max(0.0, (now.busy - last.busy) - (now.own - last.own)) / (now.at - last.at)
        self._others += _SMOOTHING * (others - self._others)
        count = max(1, min(self._maximum, int(self._cores - self._others + _SPARE)))
        if count != self.count:
            self.count = count
            self._set_threads(count)


def follow_load(path: str) -> BlasThreads | None:
    """Threads for the library at `path`; None if it has one at most, or does not let itself be asked."""
    library = ctypes.CDLL(path)
    for get, put in (
        ("openblas_get_num_threads", "openblas_set_num_threads"),
        ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
        ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads"),
    ):
        if hasattr(library, get) and hasattr(library, put):
            maximum = int(getattr(library, get)())
            if maximum < 2 or core_times() is None:
                return None
            return BlasThreads(getattr(library, put), maximum, len(os.sched_getaffinity(0)), core_times)
    return None


def core_times(stat: Path = Path("/proc/stat")) -> CoreTimes | None:
    """The times now; None on a system that does not tell."""
    try:
        text = stat.read_text()
        cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        busy = sum(_busy(line.split()[1:]) for line in text.splitlines() if line.split(" ", 1)[0] in cores)
        return CoreTimes(time.monotonic(), busy / os.sysconf("SC_CLK_TCK"), time.process_time())
    except (OSError, ValueError, AttributeError):
        return None


def _busy(fields: list[str]) -> int:
    return sum(int(f) for place, f in enumerate(fields[:_BUSY_FIELDS]) if place not in _IDLE_FIELDS)

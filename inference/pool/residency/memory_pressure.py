"""Memory pressure of the whole system, with hysteresis, so that the pool does not oscillate."""

import ctypes
import ctypes.util
import platform
from collections.abc import Callable
from typing import Final

import psutil

from inference.core.pool_state import Pressure

LEVELS: Final[tuple[Pressure, ...]] = ("normal", "shedding", "evicting", "refusing")
_ENTERED_BELOW: Final = {"shedding": 0.12, "evicting": 0.08, "refusing": 0.04}
_LEFT_ABOVE: Final = 0.03  # this much more than where it was entered

Gauge = Callable[[], float]


class MemoryPressure:
    """The pressure level for a share of available memory. Pure: it takes the share and reads no gauge.

    A level is entered as soon as the share falls below its threshold, and left only 3 points above it.
    `kernel` is macOS's own level: 2 (warn) is at least shedding, 4 (critical) at least evicting.
    """

    def __init__(self) -> None:
        self.level: Pressure = "normal"

    def update(self, available: float, kernel: int = 1) -> bool:
        """Take a reading; True when the level changed."""
        before = self.level
        self.level = max(LEVELS[0], self._from_share(available), _from_kernel(kernel), key=LEVELS.index)
        return self.level != before

    @property
    def is_shedding(self) -> bool:
        return self.level != "normal"

    @property
    def is_evicting(self) -> bool:
        return LEVELS.index(self.level) >= LEVELS.index("evicting")

    @property
    def is_refusing(self) -> bool:
        return self.level == "refusing"

    def _from_share(self, available: float) -> Pressure:
        reached: Pressure = "normal"
        for level in LEVELS[1:]:
            is_in_it = LEVELS.index(self.level) >= LEVELS.index(level)
            if available < _ENTERED_BELOW[level] + (_LEFT_ABOVE if is_in_it else 0.0):
                reached = level
        return reached


def _from_kernel(kernel: int) -> Pressure:
    if kernel >= 4:
        return "evicting"
    return "shedding" if kernel >= 2 else "normal"


def available() -> float:
    """The share of this machine's memory that can be had without swapping."""
    memory = psutil.virtual_memory()
    return float(memory.available / memory.total)


def kernel_level() -> int:
    """macOS's memory pressure: 1 normal, 2 warn, 4 critical; 1 wherever that cannot be read.

    https://github.com/apple-oss-distributions/xnu/blob/main/bsd/kern/kern_memorystatus_notify.c
    Written from the headers; not yet run on a Mac.
    """
    if platform.system() != "Darwin":
        return 1
    try:
        library = ctypes.CDLL(ctypes.util.find_library("c"))
        value = ctypes.c_int(1)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        name = b"kern.memorystatus_vm_pressure_level"
        failure = library.sysctlbyname(
            name, ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)
        )
    except (OSError, AttributeError):
        return 1
    return 1 if failure else value.value

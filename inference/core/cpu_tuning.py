"""How a CPU worker multiplies: the kernels and threads of its BLAS, and the layout of its weights."""

import os
from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct

_OUTPUT_RATIO = 8  # a vocabulary is many times as large as a model is wide
_SQUARE_RATIO = 1.5
# Threads of OpenBLAS without work spin for 2**20 cycles (half a millisecond) instead of 2**28, then sleep.
_SPIN = "20"


class ShapeClass(StrEnum):
    """Matrices of about the same shape, for which one layout is the best."""

    OUTPUT = "output"  # the vocabulary's matrix
    WIDE = "wide"  # to the inner size of an MLP
    SQUARE = "square"
    NARROW = "narrow"  # back from the inner size, or to a few key heads


def shape_class(outputs: int, inputs: int) -> ShapeClass:
    """The class of a weight with this number of rows (outputs) and columns (inputs)."""
    ratio = outputs / max(inputs, 1)
    if ratio >= _OUTPUT_RATIO:
        return ShapeClass.OUTPUT
    if ratio >= _SQUARE_RATIO:
        return ShapeClass.WIDE
    return ShapeClass.SQUARE if ratio > 1 / _SQUARE_RATIO else ShapeClass.NARROW


_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


class CpuTuning(Struct, frozen=True, kw_only=True):
    """What a worker is started with; the default leaves kernels and threads to the BLAS."""

    kernels: str = ""  # OPENBLAS_CORETYPE
    threads: int = 0  # 0 for the BLAS's own choice, which is all cores
    by_row: tuple[ShapeClass, ...] = ()  # weights of these classes are stored by row, the others by column
    are_threads_fixed: bool = False  # the operator has chosen them; otherwise they follow the machine's load

    def with_choices(self, *, kernels: str = "", threads: int = 0, layout: str = "auto") -> "CpuTuning":
        """This tuning with the operator's choices; `layout` may be "row" or "column" for all weights."""
        by_row = {"row": tuple(ShapeClass), "column": ()}.get(layout, self.by_row)
        return CpuTuning(
            kernels=kernels or self.kernels,
            threads=threads or self.threads,
            by_row=by_row,
            are_threads_fixed=bool(threads) or self.are_threads_fixed,
        )

    def follows_load(self, given: Mapping[str, str] | None = None) -> bool:
        """Whether a worker may use fewer threads while other programs need the cores."""
        given = os.environ if given is None else given
        return not self.are_threads_fixed and not any(name in given for name in _THREAD_VARIABLES)

    def environment(self, given: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables of a process that multiplies like this; what the operator has set stays as it is."""
        given = os.environ if given is None else given
        chosen = {"OPENBLAS_THREAD_TIMEOUT": _SPIN}
        if self.kernels:
            chosen["OPENBLAS_CORETYPE"] = self.kernels
        if self.threads:
            chosen |= {"OPENBLAS_NUM_THREADS": str(self.threads), "MKL_NUM_THREADS": str(self.threads)}
        if "OMP_NUM_THREADS" in given:
            chosen = {name: value for name, value in chosen.items() if not name.endswith("_NUM_THREADS")}
        return {name: value for name, value in chosen.items() if name not in given}

    def __str__(self) -> str:
        kernels = self.kernels or "its own kernels"
        threads = f"{self.threads} thread{'s' * (self.threads != 1)}" if self.threads else "all cores"
        rows = f"weights by column except {', '.join(self.by_row)}" if self.by_row else "weights by column"
        return f"{kernels}, {threads}, {rows}"


Tune = Callable[[], CpuTuning]  # may take seconds

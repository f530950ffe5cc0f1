"""Which BLAS a CPU worker multiplies with: the wheel's own is 50 to 100 times slower than a good one.

MLX's Linux wheel bundles the reference BLAS. Symbols of a library loaded globally before MLX win over
the bundled ones, so the choice is made here, before the first import of mlx.
"""

import ctypes
import glob
import os
import sys
from dataclasses import dataclass
from pathlib import Path

_MKL = ("lib/libmkl_rt.so.*",)
_OPENBLAS = (
    "/usr/lib/*/openblas-pthread/libopenblas.so.0",
    "/usr/lib/*/openblas-*/libopenblas.so.0",
    "/usr/lib*/libopenblasp.so.0",
    "/usr/lib*/libopenblas.so.0",
)


@dataclass(frozen=True)
class Blas:
    """A BLAS library on this machine; no path means the one bundled with MLX."""

    name: str
    path: str = ""


def best_blas(wanted: str = "") -> Blas:
    """The fastest BLAS found: the operator's own, MKL, OpenBLAS, or the bundled one."""
    if sys.platform != "linux":
        return Blas("Accelerate")
    if wanted:
        return Blas("custom", wanted)
    for name, patterns in (("MKL", [f"{sys.prefix}/{p}" for p in _MKL]), ("OpenBLAS", _OPENBLAS)):
        for pattern in patterns:
            if found := sorted(glob.glob(pattern)):
                return Blas(name, found[-1])
    return Blas("bundled")


def preload(blas: Blas) -> Blas:
    """Make `blas` the one MLX will use; what is really in force comes back, the bundled one on failure."""
    if not blas.path:
        return blas
    if "mlx.core" in sys.modules:
        return Blas("bundled")  # too late: MLX has bound its symbols
    os.environ.update(environment())
    try:
        library = ctypes.CDLL(blas.path, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return Blas("bundled")
    # scipy's and others' builds rename their symbols: loading them would change nothing.
    return blas if hasattr(library, "cblas_sgemm") else Blas("bundled")


def environment(flags: frozenset[str] | None = None) -> dict[str, str]:
    """What a process must have in its environment before it loads OpenBLAS.

    An OpenBLAS older than the processor does not know it, and then multiplies with the kernels of 2004:
    a third of the speed (Debian 12's 0.3.21 does so on Xeons since 2023). The operator's own choice stays.
    """
    if "OPENBLAS_CORETYPE" in os.environ:
        return {}
    known = _processor_flags() if flags is None else flags
    if {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= known:
        return {"OPENBLAS_CORETYPE": "SkylakeX"}
    return {"OPENBLAS_CORETYPE": "Haswell"} if {"avx2", "fma"} <= known else {}


def _processor_flags() -> frozenset[str]:
    """The x86 instruction sets of this machine, as Linux names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split() for line in lines if line.startswith("flags")), []))

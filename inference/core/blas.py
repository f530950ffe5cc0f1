"""Which BLAS a CPU worker multiplies with: the one in MLX's wheel is 50 to 100 times slower than a good one.

MLX's Linux wheel bundles the reference BLAS. There are two ways to have another one in its place:

- Symbols of a library that is loaded globally before MLX win over the bundled ones.
- The wheel `scipy-openblas32`, which is installed with this project, has other names for its routines.
  `blas_binding` makes MLX call them.

Either must happen before MLX computes anything, so the choice is made here, before the first import of mlx.
"""

import ctypes
import glob
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from inference.core import blas_binding
from inference.core.blas_binding import CannotBind

logger = logging.getLogger(__name__)
_MKL = ("lib/libmkl_rt.so.*",)
_WHEEL = "scipy-openblas32"
_WHEEL_PREFIX = "scipy_"
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


def candidates(wanted: str = "") -> list[Blas]:
    """The BLAS libraries that were found, the best first; the operator's own is the only one.

    MKL is in the environment only where the operator has installed it. The last one is always MLX's own.
    """
    if sys.platform != "linux":
        return [Blas("Accelerate")]
    if wanted:
        return [Blas("custom", wanted), Blas("bundled")]
    places = (
        ("MKL", [f"{sys.prefix}/{pattern}" for pattern in _MKL]),
        (_WHEEL, _in_wheel()),
        ("OpenBLAS", _OPENBLAS),
    )
    found = [Blas(name, path) for name, patterns in places if (path := _newest(patterns))]
    return [*found, Blas("bundled")]


def best_blas(wanted: str = "") -> Blas:
    """The fastest BLAS found: the operator's own, MKL, scipy-openblas32, OpenBLAS, or the bundled one."""
    return candidates(wanted)[0]


def blas_of_others(wanted: str = "") -> Blas:
    """The best BLAS for a program that keeps all threads whatever the load, as mlx-lm's do.

    That is the system's OpenBLAS: its threads give up their core while they wait, those of the wheel do not.
    """
    found = candidates(wanted)
    return next((blas for blas in found if blas.name == "OpenBLAS"), found[0])


def preload_best(wanted: str = "", is_right: Callable[[], bool] = lambda: True) -> Blas:
    """Make the best BLAS that works the one MLX will use, and return it.

    `is_right` says whether MLX's products are right; it is asked after the wheel was bound.
    """
    for blas in candidates(wanted):
        if preload(blas, is_right) == blas:
            return blas
    return Blas("bundled")


def preload(blas: Blas, is_right: Callable[[], bool] = lambda: True) -> Blas:
    """Make `blas` the one MLX will use; what is really in force comes back, the bundled one on failure."""
    if not blas.path:
        return blas
    if "mlx.core" in sys.modules:
        return Blas("bundled")  # too late: MLX may compute on another thread
    os.environ.update(default_environment(blas.path))
    try:
        _load(blas.path, is_right)
    except (OSError, CannotBind) as error:
        logger.warning("MLX cannot use the BLAS at %s: %s", blas.path, error)
        return Blas("bundled")
    return blas


def _load(path: str, is_right: Callable[[], bool]) -> None:
    """Load a library and have MLX call it; raises OSError or CannotBind."""
    blas_binding.check_complete(Path(path))
    library = ctypes.CDLL(path)
    if hasattr(library, "cblas_sgemm"):
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
        return
    if not hasattr(library, f"{_WHEEL_PREFIX}cblas_sgemm"):
        raise CannotBind("it has no cblas_sgemm")
    binding = blas_binding.bind(library, _WHEEL_PREFIX, blas_binding.mlx_library())
    if not is_right():
        binding.undo()
        raise CannotBind("its products are wrong")


def _in_wheel() -> list[str]:
    """The patterns of files that may be the library of the wheel."""
    package = find_spec(_WHEEL.replace("-", "_"))
    folders = package.submodule_search_locations if package else None
    return [f"{glob.escape(folder)}/lib/libscipy_openblas*.so*" for folder in folders or ()]


def _newest(patterns: list[str] | tuple[str, ...]) -> str:
    return next((found[-1] for pattern in patterns if (found := sorted(glob.glob(pattern)))), "")


def default_environment(path: str) -> dict[str, str]:
    """What a process must have in its environment before it loads this library, unless it was calibrated.

    The wheel's OpenBLAS is newer than the processors that it meets, and chooses its kernels itself.
    """
    return {} if Path(path).name.startswith("libscipy_openblas") else environment()


def environment(flags: frozenset[str] | None = None) -> dict[str, str]:
    """What a process must have in its environment before it loads a system's OpenBLAS.

    An OpenBLAS older than the processor does not know it, and then multiplies with the kernels of 2004:
    a third of the speed (Debian 12's 0.3.21 does so on Xeons since 2023). The operator's own choice stays.
    """
    if "OPENBLAS_CORETYPE" in os.environ:
        return {}
    known = processor_flags() if flags is None else flags
    if {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= known:
        return {"OPENBLAS_CORETYPE": "SkylakeX"}
    return {"OPENBLAS_CORETYPE": "Haswell"} if {"avx2", "fma"} <= known else {}


def processor_flags() -> frozenset[str]:
    """The x86 instruction sets of this machine, as Linux names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.split() for line in lines if line.startswith("flags")), []))

"""How the CPU workers of this process multiply: what was measured, and what the operator has chosen."""

from functools import cache
from pathlib import Path

from django.conf import settings

from inference.core.calibration import Calibrator
from inference.core.cpu_tuning import CpuTuning
from inference.core.mlx_device import is_cpu


def of_workers() -> CpuTuning:
    """The tuning of a worker that starts now; the first call on a machine may take some seconds."""
    config = settings.CONFIG
    measured = calibrator().tuning()
    return measured.with_choices(
        kernels=config.cpu_kernels, threads=config.cpu_threads, layout=config.cpu_layout
    )


def calibrator() -> Calibrator:
    """The one of this process; it measures nothing if it is switched off, or if models run on a GPU."""
    config = settings.CONFIG
    is_used = config.device == "cpu" or (config.device == "auto" and is_cpu())
    return _calibrator(config.data_dir, config.blas, config.cpu_calibration == "auto" and is_used)


@cache
def _calibrator(data_dir: Path, blas: str, is_on: bool) -> Calibrator:
    return Calibrator(data_dir, blas, is_on=is_on)

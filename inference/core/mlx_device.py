"""Which device MLX has on this machine, without importing it."""

import sys
from importlib.metadata import distributions


def is_cpu() -> bool:
    """Whether MLX has only the CPU here, decided by what is installed."""
    installed = {found.name.lower().replace("_", "-") for found in distributions()}
    return sys.platform != "darwin" and not any(name.startswith("mlx-cuda") for name in installed)

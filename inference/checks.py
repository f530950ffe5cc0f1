"""What `manage.py check` tells an operator about this machine and these settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from inference.blas import best_blas


def check_blas(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """On Linux the BLAS that comes with MLX is 50 to 100 times slower than a good one."""
    if settings.CONFIG.device == "gpu" or best_blas(settings.CONFIG.blas).name != "bundled":
        return []
    return [
        Warning(
            "CPU models will be slow: only the reference BLAS that comes with MLX was found.",
            hint="Install OpenBLAS (Debian: apt install libopenblas0-pthread), or pip install mkl.",
            id="inference.W001",
        )
    ]


def check_exposure(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Listening beyond loopback without a key would open the server to everybody on the network."""
    if settings.CONFIG.is_loopback or settings.CONFIG.api_key:
        return []
    return [
        Error(
            f"MLX_SERVER_HOST is {settings.CONFIG.host}, beyond loopback, but no MLX_SERVER_API_KEY is set.",
            hint="Set MLX_SERVER_API_KEY to a long random value, or listen on 127.0.0.1.",
            id="inference.E001",
        )
    ]

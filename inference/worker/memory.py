"""The worker's memory figures; MLX's counters may be read from any thread."""

import mlx.core as mx
import psutil

from inference.types import Memory

_process = psutil.Process()


def figures() -> Memory:
    """MLX's active, peak and cached bytes, and what the process holds resident."""
    return Memory(
        active=mx.get_active_memory(),
        peak=mx.get_peak_memory(),
        cache=mx.get_cache_memory(),
        resident=_process.memory_info().rss,
    )

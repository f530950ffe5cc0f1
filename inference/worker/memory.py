"""The worker's memory figures; MLX's counters may be read from any thread."""

import mlx.core as mx
import psutil

from inference.core.pool_state import Memory
from inference.worker import helper_process

_process = psutil.Process()


def figures(*, kv: int = 0, prefix_cache: int = 0) -> Memory:
    """MLX's active, peak and cached bytes, resident sets, and the engine's figures."""
    return Memory(
        active=mx.get_active_memory(),
        peak=mx.get_peak_memory(),
        cache=mx.get_cache_memory(),
        resident=_process.memory_info().rss,
        helpers=helper_process.memory(),
        kv=kv,
        prefix_cache=prefix_cache,
    )


def device_bytes() -> int:
    """Bytes that the device can use: Metal's recommended working set, a GPU's memory; 0 on a CPU."""
    if mx.default_device().type == mx.DeviceType.cpu:
        return 0
    info = mx.device_info()
    found = info.get("max_recommended_working_set_size") or info.get("memory_size") or 0
    return int(found)

"""What the system knows of a worker's process."""

import psutil
from msgspec import Struct

from inference.core.pool_state import Memory


class Footprint(Struct, frozen=True, kw_only=True):
    """When a process began (unix time; 0 when the system does not say) and the bytes it takes."""

    began_at: float = 0.0
    bytes: int = 0


def footprint(pid: int, memory: Memory) -> Footprint:
    """Look at one process; `memory` is what it last told of itself."""
    try:
        process = psutil.Process(pid)
        return Footprint(began_at=process.create_time(), bytes=max(process.memory_info().rss, memory.held))
    except psutil.Error:  # it has just ended, or is not ours to look at
        return Footprint(bytes=memory.held)

"""What the operating system reports about a worker's process."""

import psutil
from msgspec import Struct

from inference.core.pool_state import Memory


class Footprint(Struct, frozen=True, kw_only=True):
    """The start of a process (unix time; 0 if unknown) and the bytes it uses."""

    began_at: float = 0.0
    bytes: int = 0


def footprint(pid: int, memory: Memory) -> Footprint:
    """Look up one process; `memory` is what the worker last reported itself."""
    try:
        process = psutil.Process(pid)
        now = process.memory_info().rss + memory.helpers
        return Footprint(began_at=process.create_time(), bytes=max(now, memory.held))
    except psutil.Error:  # it has just ended, or may not be inspected
        return Footprint(bytes=memory.held)

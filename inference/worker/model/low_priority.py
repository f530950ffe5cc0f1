"""Work at a low priority: a load must not take CPU time from models that are generating."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# A third of an equal share, and all of an idle CPU. With a tenth (10), a load of 8 s took two minutes beside
# four busy programs on two cores, and somebody waits for it.
_NICENESS = 5

T = TypeVar("T")


def run_at_low_priority(work: Callable[[], T]) -> T:
    """Do `work` on a thread of its own, with a lower priority where threads have one (Linux).

    Without privileges a priority cannot be raised again, so the thread ends with its work. Threads that
    are started in it, such as those of MLX's CPU streams, inherit its priority.
    """
    if sys.platform != "linux":
        return work()
    with ThreadPoolExecutor(1, thread_name_prefix="load", initializer=_lower) as once:
        return once.submit(work).result()


def _lower() -> None:
    own = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + _NICENESS))

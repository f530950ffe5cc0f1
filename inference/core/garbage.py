"""Python's garbage collector, which stops every thread of a process for as long as it runs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def freeze() -> None:
    """Leave all objects that exist out of later collections.

    A collection of the oldest objects takes about 45 ms once the libraries and a model are loaded, and
    running streams get no token meanwhile. What is alive then lives as long as the process.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def paused() -> Iterator[None]:
    """Collect nothing while the block runs: it makes very many objects, which are freed without that.

    For one thread of a process, and for seconds: what others leave in cycles is freed later.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

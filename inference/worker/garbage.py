"""Python's garbage collector in a worker."""

import gc


def freeze() -> None:
    """Leave all objects that exist out of later collections.

    A collection of the oldest objects stops every thread, for about 45 ms once the libraries and a model are
    loaded, and running streams get no token meanwhile. What is alive then lives as long as the worker.
    """
    gc.collect()
    gc.freeze()

"""What a process of the worker does with its log, and when one of its threads dies."""

import logging
import os
import threading
from collections.abc import Mapping

from inference.core import log_lines

_DIED = 70


def begin(exit_codes: Mapping[type[BaseException], int] | None = None) -> None:
    """Log as lines of JSON on standard error, and end the process when a thread dies.

    A worker with a dead thread would look alive and answer nothing; a dead worker is replaced. `exit_codes`
    has the exit status for errors of which the pool knows more than that a thread died.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(log_lines.formatter("json"))  # the site logs them in its own format
    logging.basicConfig(handlers=[handler])
    log_lines.capture()
    codes = exit_codes or {}

    def die(failure: threading.ExceptHookArgs) -> None:
        thread = failure.thread.name if failure.thread else "unknown"
        error = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
        logging.getLogger(__name__).critical("The %s thread died", thread, exc_info=error)
        os._exit(codes.get(failure.exc_type, _DIED))

    threading.excepthook = die

"""Refusals of hosts and origins in the log: one of each kind a minute, whatever comes."""

import logging
import time
from collections.abc import Callable

from inference.core.errors import ServerError

logger = logging.getLogger(__name__)
_EVERY_S = 60.0


class RefusalLog:
    """Call it with each refusal."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}  # by the codes of errors, of which there are few

    def __call__(self, refusal: ServerError) -> None:
        now = self._clock()
        if now - self._logged_at.get(refusal.code, float("-inf")) >= _EVERY_S:
            self._logged_at[refusal.code] = now
            logger.warning("Refused a request: %s", refusal.message)


REFUSAL_LOG = RefusalLog()

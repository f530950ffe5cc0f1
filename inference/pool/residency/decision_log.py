"""The recent decisions of the pool, each as a text with its numbers."""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from inference.core.pool_state import PoolEvent
from inference.pool.residency.memory_ledger import MemoryLedger

logger = logging.getLogger(__name__)
_KEPT = 200
_REFUSALS_EVERY_S = 1.0
_LOG_LEVELS: Final = {"died": logging.ERROR, "load_failed": logging.WARNING, "pressure": logging.WARNING}

OnEvent = Callable[[PoolEvent], None]


class DecisionLog:
    """The last events; each also goes to the process log and to `on_event`.

    One refusal of each kind is kept per second, so that a flood of requests cannot push out the rest.
    """

    def __init__(
        self,
        on_event: OnEvent,
        clock: Callable[[], float],
        ledger: MemoryLedger,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._on_event = on_event
        self._clock = clock
        self._ledger = ledger
        self._wall_clock = wall_clock
        self._events: deque[PoolEvent] = deque(maxlen=_KEPT)
        self._refused_at: dict[str, float] = {}

    @property
    def events(self) -> tuple[PoolEvent, ...]:
        return tuple(self._events)

    def record(self, kind: Any, model: str, text: str, **figures: Any) -> None:
        """Keep one event; `figures` are further fields of PoolEvent."""
        event = PoolEvent(
            kind=kind,
            model=model,
            text=text,
            at=self._wall_clock(),
            free_bytes=self._ledger.free,
            limit_bytes=self._ledger.limit,
            **figures,
        )
        self._events.append(event)
        logger.log(_LOG_LEVELS.get(kind, logging.INFO), "%s%s", text[:1].upper(), text[1:])
        try:
            self._on_event(event)
        except Exception:
            logger.exception("A pool event could not be passed to its listener")

    def record_refusal(self, code: str, model: str, text: str, **figures: Any) -> None:
        """Keep a refusal, unless one of this kind was kept within the last second."""
        now = self._clock()
        if now - self._refused_at.get(code, float("-inf")) < _REFUSALS_EVERY_S:
            return
        self._refused_at[code] = now
        self.record("refused", model, text, **figures)

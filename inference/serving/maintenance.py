"""What time brings for the database, whether anybody asks something of the site or not."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from django.conf import settings
from django.db import close_old_connections
from msgspec import Struct

from inference.models.request_record import RequestRecord
from inference.serving import revocation
from inference.serving.recording.capture_switch import SWITCH
from inference.storage import response_store

logger = logging.getLogger(__name__)
_LOOK_S = 30.0


class Chore(Struct, frozen=True):
    """Something to do now, and then every so many seconds."""

    do: Callable[[], None]
    every_s: float


def forget_old() -> None:
    """Delete what has been kept for as long as it may be, captured words with it."""
    RequestRecord.objects.retain(days=settings.CONFIG.record_days, rows=settings.CONFIG.record_rows)
    response_store.forget_old()


def forget_sessions() -> None:
    """Delete sessions that have expired: nobody can come back to them."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


# Other apps add theirs when they are ready.
CHORES = [
    Chore(SWITCH.refresh, 30.0),  # another process may have begun or ended a capture
    Chore(revocation.look, 30.0),  # or have revoked a key, or disabled an account
    Chore(forget_old, 600.0),
    Chore(forget_sessions, 3600.0),
]


class Upkeep:
    """Does its chores in a thread of its own, in order; one that fails is tried again at its next time."""

    def __init__(
        self, chores: Sequence[Chore] = CHORES, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._due = dict.fromkeys(chores, 0.0)
        self._is_over = threading.Event()

    def start(self) -> None:
        """Begin, with the first round at once."""
        # A daemon, so that a locked database cannot keep the site from ending.
        threading.Thread(target=self._run, name="upkeep", daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()

    def round(self) -> None:
        """Do what is due."""
        for chore, due in self._due.items():
            if due <= (now := self._clock()):
                self._due[chore] = now + chore.every_s
                self._do(chore)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self.round()
            self._is_over.wait(_LOOK_S)

    def _do(self, chore: Chore) -> None:
        try:
            chore.do()
        except Exception as error:
            logger.warning("Upkeep of the database is put off: %r", error)
        finally:
            close_old_connections()

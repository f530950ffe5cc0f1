"""The threads that have pictures decoded and resize them, beside the prompt thread and the engine.

Each has a process that decodes (picture_decoder.py). A conversation sends its pictures with every turn, so
those that were seen last are kept.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from threading import Lock, local
from typing import TYPE_CHECKING

from inference.core.errors import InternalError, ServerError
from inference.core.requests import Picture
from inference.worker.vision.seen import Seen, VisionFamily

if TYPE_CHECKING:
    from inference.worker.vision.picture_decoder import PictureDecoder

logger = logging.getLogger(__name__)
_THREADS = 2
_KEPT_BYTES = 64 * 2**20  # of pixels
Then = Callable[["tuple[Seen, ...] | ServerError"], None]


class PictureThreads:
    """Sees the pictures of requests for one model. Safe to use from several threads."""

    def __init__(self, family: VisionFamily) -> None:
        self._family = family
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="picture")
        self._kept: OrderedDict[tuple[bytes, str], Seen] = OrderedDict()  # least recently used first
        self._bytes = 0
        self._lock = Lock()
        self._own = local()

    def see(self, pictures: Sequence[tuple[str, Picture]], then: Then) -> None:
        """Decode pictures, each with its field's name; `then` gets them, or why one cannot be read.

        `then` is called on another thread.
        """
        seeing = _Seeing(len(pictures), then)
        for number, (param, picture) in enumerate(pictures):
            future = self._threads.submit(self._see, picture, param, seeing)
            future.add_done_callback(partial(seeing.note, number))

    def _see(self, picture: Picture, param: str, seeing: "_Seeing") -> Seen | None:
        if seeing.has_failed:
            return None
        key = (sha256(picture.data).digest(), picture.detail)
        with self._lock:
            if found := self._kept.get(key):
                self._kept.move_to_end(key)
                return found
        seen = self._family.see(self._decoder().decode(picture, param), picture.data, picture.detail)
        with self._lock:
            self._keep(key, seen)
        return seen

    def _decoder(self) -> "PictureDecoder":
        """That of this thread."""
        from inference.worker.vision.picture_decoder import (
            PictureDecoder,  # Pillow is there where a model sees
        )

        decoder: PictureDecoder | None = getattr(self._own, "decoder", None)
        if decoder is None:
            decoder = self._own.decoder = PictureDecoder()
        return decoder

    def _keep(self, key: tuple[bytes, str], seen: Seen) -> None:
        if key in self._kept:
            return
        self._kept[key] = seen
        self._bytes += seen.bytes
        while self._bytes > _KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].bytes


class _Seeing:
    """The pictures of one request; `then` is called once, with all of them or with the first problem."""

    def __init__(self, count: int, then: Then) -> None:
        self._seen: list[Seen | None] = [None] * count
        self._left = count
        self._then = then
        self._lock = Lock()
        self.has_failed = False

    def note(self, number: int, future: "Future[Seen | None]") -> None:
        error = future.exception()
        with self._lock:
            if self.has_failed:
                return
            self.has_failed = error is not None
            self._left -= 1
            if not error:
                self._seen[number] = future.result()
        if error is None and self._left == 0:
            self._then(tuple(one for one in self._seen if one))
        elif isinstance(error, ServerError):
            self._then(error)
        elif error is not None:
            logger.error("Cannot see a picture", exc_info=error)
            self._then(InternalError("A picture could not be prepared; see the server's log."))

"""The bytes of pictures that the site holds for requests which wait or are answered, and their limit.

A request keeps its pictures until its answer has ended, so without a limit a queue of large ones would fill
the memory that models need.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from inference.core.errors import QueueFull
from inference.core.requests import ChatRequest, Request

_RETRY_AFTER_S = 5.0


class PictureMemory:
    """Used on the event loop only; `bytes` are held now."""

    def __init__(self) -> None:
        self.bytes = 0

    @contextmanager
    def hold(self, request: Request) -> Iterator[None]:
        """Count a request's pictures while the block runs; raises QueueFull where that would be too many.

        A request is never refused because of its own pictures alone.
        """
        added, most = _bytes_of(request), settings.CONFIG.pictures_in_memory
        if added and self.bytes and self.bytes + added > most:
            raise QueueFull(
                f"The server holds pictures of {self.bytes / 2**20:,.0f} MiB for others, and may hold "
                f"{most / 2**20:,.0f} MiB (MLX_SERVER_PICTURES_IN_MEMORY). Try again in a moment.",
                retry_after=_RETRY_AFTER_S,
            )
        self.bytes += added
        try:
            yield
        finally:
            self.bytes -= added


PICTURES = PictureMemory()


def _bytes_of(request: Request) -> int:
    if not isinstance(request, ChatRequest):
        return 0
    return sum(len(picture.data) for message in request.messages for picture in message.pictures)

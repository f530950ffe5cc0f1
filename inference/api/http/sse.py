"""Server-sent events: the framing, and the response that carries it."""

from collections.abc import AsyncGenerator
from typing import Final

from django.http import StreamingHttpResponse

OPENED: Final = b": open\n\n"  # Daphne holds the headers back until the first byte of the body
KEEP_ALIVE: Final = b": keep-alive\n\n"
DONE: Final = b"data: [DONE]\n\n"


def event(data: bytes, name: str = "") -> bytes:
    """One event; `data` is JSON, which never holds a raw line break."""
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


class EventStream(StreamingHttpResponse):
    """A response of ready-made frames; closing the response closes the iterator."""

    def __init__(self, frames: AsyncGenerator[bytes], content_type: str = "text/event-stream") -> None:
        super().__init__(frames, content_type=content_type)
        self["Cache-Control"] = "no-cache"
        self["X-Accel-Buffering"] = "no"  # nginx would hold the events back
        self._frames = frames

    def __aiter__(self) -> AsyncGenerator[bytes]:
        # Django's iterator wraps ours and, when closed, leaves ours to the garbage collector.
        return self._frames

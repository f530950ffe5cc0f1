"""The data of server-sent events, from bytes that may be split anywhere."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from inference.core.errors import UpstreamFailed

MOST_BYTES = 4 * 2**20  # of one event: a chunk with many log probabilities has some 100 kB


class EventLines:
    """Call `feed` with each piece of the body; it yields the data of the events that are complete.

    Lines end with LF, CR LF or CR. Comments, and fields other than `data`, are skipped
    (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the data of each event that this piece completes; raises UpstreamFailed for one too large."""
        lines = (self._rest + piece).splitlines(keepends=True)
        # A CR at the very end may be half of a CR LF.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            yield from self._line(line.rstrip(b"\r\n"))
        if self._size + len(self._rest) > MOST_BYTES:
            raise UpstreamFailed("The server that answers for this model sent an event that is too large.")

    def end(self) -> Iterator[str]:
        """Yield the data of a last event that no blank line ends."""
        yield from self._line(self._rest.rstrip(b"\r\n"))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[str]:
        if not line:
            if self._data:
                yield b"\n".join(self._data).decode(errors="replace")
            self._data, self._size = [], 0
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)


async def data_of(pieces: AsyncIterator[bytes], silence_s: float) -> AsyncGenerator[str]:
    """The data of each event of a body; raises UpstreamFailed after `silence_s` of comments alone."""
    lines, last = EventLines(), time.monotonic()
    async for piece in pieces:
        for data in lines.feed(piece):
            last = time.monotonic()
            yield data
        if time.monotonic() - last > silence_s:
            raise UpstreamFailed("The server that answers for this model has been silent for too long.")
    for data in lines.end():
        yield data

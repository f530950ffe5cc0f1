"""The progress of a download: immutable snapshots, a few each second."""

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

_REPORT_EVERY_S = 0.1
_SPEED_OVER_S = 3.0


class FileProgress(Struct, frozen=True, kw_only=True):
    """One file: bytes there, and bytes in all."""

    name: str
    done: int
    size: int


class FetchProgress(Struct, frozen=True, kw_only=True, tag=True):
    """All files of a model, in the order they are fetched in; `note` is why it waits."""

    files: tuple[FileProgress, ...] = ()
    bytes_per_s: float = 0.0
    note: str = ""

    @property
    def done(self) -> int:
        return sum(file.done for file in self.files)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


OnProgress = Callable[[FetchProgress], None]


class SpeedMeter:
    """Counts the bytes and reports them; an exception of the listener ends the download."""

    def __init__(self, sizes: dict[str, int], report: OnProgress) -> None:
        self._sizes = sizes
        self._done = dict.fromkeys(sizes, 0)
        self._report = report
        self._reported_at = float("-inf")
        self._received = 0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def begin(self, name: str, there: int) -> None:
        """Set how much of a file is there before its first request."""
        self._done[name] = there
        self.report()

    def add(self, name: str, count: int) -> None:
        """Count bytes that came over the network."""
        self._done[name] += count
        self._received += count
        if time.monotonic() - self._reported_at >= _REPORT_EVERY_S or self._done[name] == self._sizes[name]:
            self.report()

    def report(self, note: str = "") -> None:
        self._reported_at = time.monotonic()
        files = tuple(
            FileProgress(name=name, done=self._done[name], size=size) for name, size in self._sizes.items()
        )
        self._report(FetchProgress(files=files, bytes_per_s=self._speed(), note=note))

    def _speed(self) -> float:
        """Bytes per second of the last seconds only: a longer mean would hide a stall."""
        now = self._reported_at
        self._marks.append((now, self._received))
        while len(self._marks) > 2 and now - self._marks[1][0] >= _SPEED_OVER_S:
            self._marks.popleft()
        since, before = self._marks[0]
        return (self._received - before) / (now - since) if now > since else 0.0

"""How far a fetch is: frozen pictures of it, a few each second, for whoever shows them."""

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

_TELL_EVERY_S = 0.1
_SPEED_OVER_S = 3.0


class FileProgress(Struct, frozen=True, kw_only=True):
    """One file: bytes there, and bytes in all."""

    name: str
    done: int
    size: int


class FetchProgress(Struct, frozen=True, kw_only=True, tag=True):
    """All files of a model, in the order they are fetched in; `note` says what keeps it waiting."""

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
    """Counts what comes and tells it on; what the listener raises ends the fetch."""

    def __init__(self, sizes: dict[str, int], tell: OnProgress) -> None:
        self._sizes = sizes
        self._done = dict.fromkeys(sizes, 0)
        self._tell = tell
        self._told_at = float("-inf")
        self._received = 0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def begin(self, name: str, there: int) -> None:
        """So much of a file is there before anything of it is asked for."""
        self._done[name] = there
        self.tell()

    def add(self, name: str, count: int) -> None:
        """So many bytes of a file came over the network."""
        self._done[name] += count
        self._received += count
        if time.monotonic() - self._told_at >= _TELL_EVERY_S or self._done[name] == self._sizes[name]:
            self.tell()

    def tell(self, note: str = "") -> None:
        self._told_at = time.monotonic()
        files = tuple(
            FileProgress(name=name, done=self._done[name], size=size) for name, size in self._sizes.items()
        )
        self._tell(FetchProgress(files=files, bytes_per_s=self._speed(), note=note))

    def _speed(self) -> float:
        """Of the last seconds alone: a mean over hours would hide that it stands still now."""
        now = self._told_at
        self._marks.append((now, self._received))
        while len(self._marks) > 2 and now - self._marks[1][0] >= _SPEED_OVER_S:
            self._marks.popleft()
        since, before = self._marks[0]
        return (self._received - before) / (now - since) if now > since else 0.0

"""The latest lines of the log, for the admin: bounded, and in a file of the data folder over restarts."""

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from inference.core import log_lines

FOLDER = "log"
FILE = "site.jsonl"
EARLIER = "site.1.jsonl"
MOST_BYTES = 4 * 2**20  # in memory, and in each of two files
_LONGEST_LINE = 16_384  # bytes; a longer one is cut
_LEVELS = logging.getLevelNamesMapping()


class LogEntry(Struct, frozen=True, kw_only=True):
    """One line of the log, as the format `json` writes it."""

    time: str  # ISO 8601, UTC
    level: str
    logger: str
    message: str = ""
    request_id: str = ""
    process: str = ""  # of a worker
    exception: str = ""

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.time)


class LogFilter(Struct, frozen=True, kw_only=True):
    """Which lines are wanted: empty values want all."""

    level: str = ""  # this one and what is worse
    text: str = ""  # anywhere in the message, the exception or the process; case does not count
    request: str = ""  # the whole id of a request
    logger: str = ""  # the beginning of its name

    def fits(self, entry: LogEntry) -> bool:
        if self.level and _LEVELS.get(entry.level, 0) < _LEVELS.get(self.level, 0):
            return False
        if self.request and entry.request_id != self.request:
            return False
        if not entry.logger.startswith(self.logger):
            return False
        wanted = self.text.lower()
        return any(wanted in text.lower() for text in (entry.message, entry.exception, entry.process))


class LogRing(logging.Handler):
    """Keeps the lines that it is given, the oldest no longer than there is room; safe from any thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._most_bytes = most_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._folder = Path()
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._keep(self.format(record).encode())
        except Exception:
            self.handleError(record)

    def keep_in(self, folder: Path) -> None:
        """Read what a folder has, and write there from now on; raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = [line for name in (EARLIER, FILE) for line in _lines(folder / name)]
        with self._guard:
            since, self._lines, self._bytes = list(self._lines), deque(), 0
            for line in (*kept, *since):
                self._append(line)
            self._folder, self._file = folder, _opened(folder / FILE)
            for line in since:
                self._write(line)

    def stop_keeping(self) -> None:
        """End the file; later lines are kept in memory alone.

        Not `close`: logging calls that whenever Django is set up again, as it is for ASGI.
        """
        with self._guard:
            if self._file:
                self._file.close()
            self._file = None

    def entries(self, wanted: LogFilter | None = None) -> Iterator[LogEntry]:
        """The lines that are wanted, the newest first."""
        with self._guard:
            lines = tuple(self._lines)
        return _entries(reversed(lines), wanted or LogFilter())

    def _keep(self, line: bytes) -> None:
        if len(line) > _LONGEST_LINE:
            line = _cut(line)
        with self._guard:
            self._append(line)
            self._write(line)

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > self._most_bytes:
            self._bytes -= len(self._lines.popleft())

    def _write(self, line: bytes) -> None:
        """Append to the file; a disk that is full or gone ends the file and not the log."""
        if self._file is None:
            return
        try:
            self._file.write(line + b"\n")
            if self._file.tell() > self._most_bytes:
                self._file.close()
                os.replace(self._folder / FILE, self._folder / EARLIER)
                self._file = _opened(self._folder / FILE)
        except OSError:
            self._file = None


def entries_in(folder: Path, wanted: LogFilter) -> Iterator[LogEntry]:
    """The lines in the files of a folder that are wanted, the newest first; for other processes."""
    lines = [line for name in (EARLIER, FILE) for line in _lines(folder / name)]
    return _entries(reversed(lines), wanted)


def _entries(lines: Iterator[bytes], wanted: LogFilter) -> Iterator[LogEntry]:
    decoder = msgspec.json.Decoder(LogEntry)
    for line in lines:
        with contextlib.suppress(msgspec.MsgspecError):  # cut off by the end of the process that wrote it
            entry = decoder.decode(line)
            if wanted.fits(entry):
                yield entry


def _lines(file: Path) -> list[bytes]:
    try:
        return file.read_bytes().splitlines()
    except OSError:
        return []


def _cut(line: bytes) -> bytes:
    entry = msgspec.json.decode(line, type=LogEntry)
    room = _LONGEST_LINE // 8  # characters, of which some take several bytes
    cut = {name: getattr(entry, name)[:room] for name in ("message", "exception")}
    return msgspec.json.encode(msgspec.structs.replace(entry, **cut))


def _opened(file: Path) -> IO[bytes]:
    """The file, for its owner only; each line is written at once."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)


RING = LogRing()


def ring_of_site() -> LogRing:
    """The ring of this process, for Django's setting LOGGING."""
    RING.setFormatter(log_lines.of_site("json"))
    return RING

"""The downloads of this site: one writer for each model, each a process that ends when the site does."""

import errno
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from inference.core.subprocess_environment import of_helpers
from inference.repository.downloads import hub
from inference.repository.downloads.errors import FetchFailed, TakenAlready
from inference.repository.downloads.hub import check_id, check_target
from inference.repository.downloads.process import Ending, Line
from inference.repository.downloads.progress import FetchProgress
from inference.repository.files import folder_tree, staging
from inference.repository.files.folder_tree import folder_size

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 3
_MOST_REMEMBERED = 20
_END_S = 5.0
_SILENT_S = 3.0
_THERE = "It is there."
_DRAFT = re.compile(r"\..+\.partial")  # staging.draft_of


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # what it left is there, but not who made it
    ELSEWHERE = "elsewhere"  # another program makes it
    LEFT = "left"  # nobody can go on with what is there


class ActiveDownload(msgspec.Struct, frozen=True, kw_only=True):
    """One download as it is now; seconds since the epoch."""

    id: str
    state: State
    progress: FetchProgress = FetchProgress()
    message: str = ""
    began_at: float = 0.0
    heard_at: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.state is State.RUNNING


class Downloads:
    """A register of them; safe to use from several threads. `on_done` is told when a model is there."""

    def __init__(self, models_dir: Path, *, on_done: Callable[[], None]) -> None:
        self._models_dir = models_dir
        self._on_done = on_done
        self._lock = threading.Lock()
        self._known: dict[str, ActiveDownload] = {}
        self._running: dict[str, _Errand] = {}

    def start(self, name: str) -> ActiveDownload:
        """Begin to fetch a model, or join whoever began before; raises FetchFailed."""
        check_id(name)
        target = self._models_dir / name
        with self._lock:
            if name in self._running:
                return self._known[name]
            check_target(name, target)
            if staging.is_being_made(target):
                raise TakenAlready(name)
            if len(self._running) >= MOST_AT_ONCE:
                raise FetchFailed(
                    f"{MOST_AT_ONCE} models are being fetched; wait until one of them is there."
                )
            self._running[name] = self._errand(name, target)  # what it says waits for the lock
            self._known.pop(name, None)  # so that it is the newest
            self._known[name] = ActiveDownload(id=name, state=State.RUNNING, began_at=time.time())
            self._forget_oldest()
            return self._known[name]

    def cancel(self, name: str) -> None:
        """End a download; what has come is kept. Nothing to do is well done."""
        with self._lock:
            errand = self._running.get(name)
        if errand:
            errand.stop()

    def discard(self, name: str) -> None:
        """Delete what an ended download or import left; raises FetchFailed while somebody makes it."""
        hub.discard(name, self._models_dir)
        with self._lock:
            if name not in self._running:
                self._known.pop(name, None)

    def all(self) -> tuple[ActiveDownload, ...]:
        """Every download known of, the newest first, and those that an earlier site left behind."""
        with self._lock:
            known = dict(self._known)
        return (
            *map(self._as_it_stands, reversed(known.values())),
            *(_left(name, self._models_dir / name) for name in self._drafts() if name not in known),
        )

    def close(self) -> None:
        """End them all, as the site does."""
        with self._lock:
            errands = list(self._running.values())
        for errand in errands:
            errand.stop()

    def _errand(self, name: str, target: Path) -> "_Errand":
        try:
            return _Errand(name, target, self._hear, self._end)
        except OSError as error:
            raise FetchFailed(
                f"{name} cannot be fetched now, for the site lacks the means: {error.strerror}. Try again "
                "when less is going on."
            ) from error

    def _hear(self, name: str, progress: FetchProgress) -> None:
        with self._lock:
            self._known[name] = msgspec.structs.replace(
                self._known[name], progress=progress, heard_at=time.time()
            )

    def _end(self, name: str, state: State, message: str) -> None:
        with self._lock:
            del self._running[name]
            known = self._known[name]
            progress = msgspec.structs.replace(known.progress, bytes_per_s=0.0, note="")
            self._known[name] = msgspec.structs.replace(
                known, state=state, message=message, progress=progress
            )
        logger.info("Download of %s: %s. %s", name, state, message)
        if state is State.DONE:
            self._on_done()

    def _forget_oldest(self) -> None:
        for name in list(self._known)[:-_MOST_REMEMBERED]:
            if name not in self._running:
                del self._known[name]

    def _drafts(self) -> list[str]:
        """The ids of the models that were begun: OWNER/NAME of downloads, NAME of imports."""
        found = folder_tree.entries(self._models_dir)
        owners = [entry for entry in found if not entry.name.startswith(".") and _is_folder(entry)]
        names = _begun(found) + [
            f"{owner.name}/{name}"
            for owner in owners
            for name in _begun(folder_tree.entries(Path(owner.path)))
        ]
        return [name for name in names if hub.is_name(name)]

    def _as_it_stands(self, download: ActiveDownload) -> ActiveDownload:
        """What became of it since it was heard of; others fetch, import and delete as well."""
        if download.is_running:
            return _with_its_speed(download)
        target = self._models_dir / download.id
        is_there, has_draft = os.path.lexists(target), staging.draft_of(target).is_dir()
        if has_draft and (is_there or download.state is State.DONE or staging.is_being_made(target)):
            return _left(download.id, target)
        if is_there:
            return msgspec.structs.replace(download, state=State.DONE, message=_THERE)
        return download


def _begun(entries: Iterable["os.DirEntry[str]"]) -> list[str]:
    """The names of the models whose drafts are among these entries of a folder."""
    drafts = [entry.name for entry in entries if _DRAFT.fullmatch(entry.name) and _is_folder(entry)]
    return [draft[1:].removesuffix(".partial") for draft in drafts]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is one itself: behind a link is another program's."""
    return entry.is_dir(follow_symlinks=False)


def _left(name: str, target: Path) -> ActiveDownload:
    """What is there of a model that nobody of ours makes."""
    if staging.is_being_made(target):
        return ActiveDownload(
            id=name,
            state=State.ELSEWHERE,
            message="Another program makes it, such as `manage.py pull` or `manage.py import_gguf`.",
        )
    there = f"{folder_size(staging.draft_of(target)) / 10**9:.2f} GB"
    if os.path.lexists(target):
        message = f"The model is there, and beside it {there} of another try that did not end; discard them."
        return ActiveDownload(id=name, state=State.LEFT, message=message)
    if "/" not in name:
        message = f"{there} of an import that did not end are there; discard them, and import it again."
        return ActiveDownload(id=name, state=State.LEFT, message=message)
    message = f"{there} of it are there; resume to go on."
    return ActiveDownload(id=name, state=State.INTERRUPTED, message=message)


def _with_its_speed(download: ActiveDownload) -> ActiveDownload:
    """Nothing is heard of a stalled one, so its last speed is not its speed."""
    if time.time() - download.heard_at < _SILENT_S:
        return download
    return msgspec.structs.replace(
        download, progress=msgspec.structs.replace(download.progress, bytes_per_s=0.0)
    )


class _Errand:
    """The process that fetches one model, and the thread that hears it."""

    def __init__(
        self,
        name: str,
        target: Path,
        hear: Callable[[str, FetchProgress], None],
        end: Callable[[str, State, str], None],
    ) -> None:
        self._name, self._hear, self._end = name, hear, end
        self._is_stopped = False
        command = [sys.executable, "-m", "inference.repository.downloads.process", name, str(target)]
        # A session of its own: Ctrl-C is for the site, which then ends it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=of_helpers(),
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._follow, name=f"download {name}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            with self._process as process:
                process.kill()
            raise OSError(errno.EAGAIN, "it can begin no thread") from error

    def stop(self) -> None:
        """Kill it and wait until it is gone: after this nobody writes any more."""
        self._is_stopped = True
        self._process.kill()
        self._thread.join(_END_S)

    def _follow(self) -> None:
        ending = None
        try:
            with self._process as process:
                for line in process.stdout or ():
                    said = msgspec.json.decode(line, type=Line)
                    if isinstance(said, Ending):
                        ending = said
                        break
                    self._hear(self._name, said)
        finally:  # whatever it said, nobody waits for it for ever
            self._end(self._name, *self._outcome(ending))

    def _outcome(self, ending: Ending | None) -> tuple[State, str]:
        if ending and not ending.failure:
            return State.DONE, _THERE
        if ending:
            return State.FAILED, ending.failure
        if self._is_stopped:
            return State.CANCELLED, "Cancelled. What has come is kept; resume to go on."
        return State.FAILED, "Its process ended unexpectedly. What has come is kept; resume to go on."

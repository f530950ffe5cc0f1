"""The downloads of this site: one process for each model, which ends when the site does."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from inference.core import gguf_import, quantisation
from inference.core.installation import PROGRAM
from inference.repository.downloads import hub, hub_names
from inference.repository.downloads.active_download import COMPLETE, ActiveDownload, DownloadState
from inference.repository.downloads.download_process import DownloadProcess
from inference.repository.downloads.errors import FetchFailed, TakenAlready
from inference.repository.downloads.hub import check_target
from inference.repository.downloads.hub_names import check_id
from inference.repository.downloads.progress import FetchProgress
from inference.repository.files import folder_tree, staging
from inference.repository.files.folder_tree import folder_size

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 3
_MOST_REMEMBERED = 20
_SILENT_S = 3.0
_JOB_FILES = (quantisation.JOB_FILE, gguf_import.JOB_FILE)  # of drafts that are listed elsewhere
_DRAFT = re.compile(r"\..+\.partial")  # staging.draft_of


class Downloads:
    """The register of downloads; safe to use from several threads. `on_done` is called after a success."""

    def __init__(self, models_dir: Path, *, on_done: Callable[[], None]) -> None:
        self._models_dir = models_dir
        self._on_done = on_done
        self._lock = threading.Lock()
        self._known: dict[str, ActiveDownload] = {}
        self._running: dict[str, DownloadProcess] = {}

    def start(self, name: str) -> ActiveDownload:
        """Start or resume a download, or return the running one; raises FetchFailed."""
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
                    f"{MOST_AT_ONCE} models are being downloaded; wait until one of them is complete."
                )
            self._running[name] = self._start_process(name, target)  # its first progress waits for the lock
            self._known.pop(name, None)  # so that it is the newest
            self._known[name] = ActiveDownload(id=name, state=DownloadState.RUNNING, began_at=time.time())
            self._forget_oldest()
            return self._known[name]

    def cancel(self, name: str) -> bool:
        """Cancel a download, and return whether it was running; its partial files are kept. Idempotent."""
        with self._lock:
            process = self._running.get(name)
        if process:
            process.stop()
        return process is not None

    def discard(self, name: str) -> bool:
        """Delete the draft of an ended download or import, and return whether there was anything of one.

        Raises FetchFailed while it is being made.
        """
        had_draft = hub.discard(name, self._models_dir)
        with self._lock:
            is_known = name not in self._running and self._known.pop(name, None) is not None
        return had_draft or is_known

    def all(self) -> tuple[ActiveDownload, ...]:
        """Every known download, the newest first, then the drafts that an earlier site left."""
        with self._lock:
            known = dict(self._known)
        return (
            *map(self._current, reversed(known.values())),
            *(_left(name, self._models_dir / name) for name in self._drafts() if name not in known),
        )

    def running(self) -> tuple[ActiveDownload, ...]:
        """Those that run now, the newest first; it does not look at the disk."""
        with self._lock:
            known = [self._known[name] for name in self._known if name in self._running]
        return tuple(map(_with_current_speed, reversed(known)))

    def known(self) -> tuple[ActiveDownload, ...]:
        """Those that run or have ended since the site started; it does not look at the disk."""
        with self._lock:
            return tuple(reversed(self._known.values()))

    def close(self) -> None:
        """Cancel all downloads, because the site ends."""
        with self._lock:
            processes = list(self._running.values())
        for process in processes:
            process.stop()

    def _start_process(self, name: str, target: Path) -> "DownloadProcess":
        try:
            return DownloadProcess(name, target, self._on_progress, self._end)
        except OSError as error:
            raise FetchFailed(
                f"{name} cannot be downloaded now, because the process cannot be started: {error.strerror}. "
                "Try again later."
            ) from error

    def _on_progress(self, name: str, progress: FetchProgress) -> None:
        with self._lock:
            self._known[name] = msgspec.structs.replace(
                self._known[name], progress=progress, heard_at=time.time()
            )

    def _end(self, name: str, state: DownloadState, message: str) -> None:
        with self._lock:
            del self._running[name]
            known = self._known[name]
            progress = msgspec.structs.replace(known.progress, bytes_per_s=0.0, note="")
            self._known[name] = msgspec.structs.replace(
                known, state=state, message=message, progress=progress
            )
        logger.info("Download of %s: %s. %s", name, state, message)
        if state is DownloadState.DONE:
            self._on_done()

    def _forget_oldest(self) -> None:
        for name in list(self._known)[:-_MOST_REMEMBERED]:
            if name not in self._running:
                del self._known[name]

    def _drafts(self) -> list[str]:
        """The ids of models with a draft: OWNER/NAME of downloads, NAME of imports."""
        found = folder_tree.entries(self._models_dir)
        owners = [entry for entry in found if not entry.name.startswith(".") and _is_folder(entry)]
        names = _drafted_names(found) + [
            f"{owner.name}/{name}"
            for owner in owners
            for name in _drafted_names(folder_tree.entries(Path(owner.path)))
        ]
        return [name for name in names if hub_names.is_name(name)]

    def _current(self, download: ActiveDownload) -> ActiveDownload:
        """A download as it is on disk now: other programs fetch, import and delete as well."""
        if download.is_running:
            return _with_current_speed(download)
        target = self._models_dir / download.id
        is_there, has_draft = os.path.lexists(target), staging.draft_of(target).is_dir()
        if has_draft and (is_there or download.state is DownloadState.DONE or staging.is_being_made(target)):
            return _left(download.id, target)
        if is_there:
            return msgspec.structs.replace(download, state=DownloadState.DONE, message=COMPLETE)
        return download


def _drafted_names(entries: Iterable["os.DirEntry[str]"]) -> list[str]:
    """The names of the models that are fetched, whose drafts are among these entries of a folder."""
    drafts = [entry.name for entry in entries if _DRAFT.fullmatch(entry.name) and _is_fetched(entry)]
    return [draft[1:].removesuffix(".partial") for draft in drafts]


def _is_fetched(entry: "os.DirEntry[str]") -> bool:
    return _is_folder(entry) and not any(Path(entry.path, name).exists() for name in _JOB_FILES)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder itself; links lead to another program's."""
    return entry.is_dir(follow_symlinks=False)


def _left(name: str, target: Path) -> ActiveDownload:
    """The draft of a model that no process of this site makes."""
    if staging.is_being_made(target):
        return ActiveDownload(
            id=name,
            state=DownloadState.ELSEWHERE,
            message=f"Another program is creating it, such as `{PROGRAM} pull`.",
        )
    there = f"{folder_size(staging.draft_of(target)) / 10**9:.2f} GB"
    if os.path.lexists(target):
        message = (
            f"The model is there, and beside it {there} of another download that did not complete; discard "
            "them."
        )
        return ActiveDownload(id=name, state=DownloadState.LEFT, message=message)
    if "/" not in name:
        message = f"{there} of an import that did not end are there; discard them, and import it again."
        return ActiveDownload(id=name, state=DownloadState.LEFT, message=message)
    message = f"{there} of it exist; resume the download to continue."
    return ActiveDownload(id=name, state=DownloadState.INTERRUPTED, message=message)


def _with_current_speed(download: ActiveDownload) -> ActiveDownload:
    """A stalled download reports nothing, so its last speed is not its speed."""
    if time.time() - download.heard_at < _SILENT_S:
        return download
    return msgspec.structs.replace(
        download, progress=msgspec.structs.replace(download.progress, bytes_per_s=0.0)
    )

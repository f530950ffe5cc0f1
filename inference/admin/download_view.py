"""A download as the admin's pages show it: its state and progress as texts."""

from dataclasses import dataclass

from inference.repository.downloads.active_download import ActiveDownload, DownloadState

_HEADINGS = {
    DownloadState.RUNNING: "Downloading",
    DownloadState.DONE: "Done",
    DownloadState.FAILED: "Failed",
    DownloadState.REFUSED: "Failed",
    DownloadState.CANCELLED: "Cancelled",
    DownloadState.INTERRUPTED: "Interrupted",
    DownloadState.ELSEWHERE: "Running in another process",
    DownloadState.LEFT: "Incomplete",
}
_RESUMABLE = {DownloadState.FAILED, DownloadState.CANCELLED, DownloadState.INTERRUPTED}


@dataclass(frozen=True)
class DownloadFileView:
    """One file's row: its name, its progress as text, and as a bar."""

    name: str
    amount: str
    percent: int


@dataclass(frozen=True, kw_only=True)
class DownloadView:
    """One download as the page shows it; the page's script polls it as JSON with these keys."""

    id: str
    state: str
    heading: str
    text: str
    percent: int
    can_cancel: bool
    can_resume: bool
    can_discard: bool
    can_dismiss: bool  # it failed for good, and has left nothing
    kind: str  # of a model that is here: "chat", "embedding" or "rerank"
    files: tuple[DownloadFileView, ...]

    @classmethod
    def of(cls, download: ActiveDownload, kind: str = "") -> "DownloadView":
        progress = download.progress
        return cls(
            id=download.id,
            state=download.state,
            heading=_HEADINGS[download.state],
            text=_progress_text(download) if download.is_running else download.message,
            percent=_percent(progress.done, progress.size),
            can_cancel=download.is_running,
            can_resume=download.state in _RESUMABLE,
            can_discard=download.state in _RESUMABLE | {DownloadState.LEFT},
            can_dismiss=download.state is DownloadState.REFUSED,
            kind=kind,
            files=tuple(
                DownloadFileView(file.name, _share(file.done, file.size), _percent(file.done, file.size))
                for file in progress.files
            ),
        )


def _progress_text(download: ActiveDownload) -> str:
    progress = download.progress
    if not progress.files:
        return "Asking the hub…"
    if progress.note:
        return f"{_share(progress.done, progress.size)}. {progress.note}"
    speed = progress.bytes_per_s
    if not speed:
        return _share(progress.done, progress.size)
    left = _duration((progress.size - progress.done) / speed)
    return f"{_share(progress.done, progress.size)} at {_amount(speed)}/s, about {left} left"


def _percent(done: int, size: int) -> int:
    return 100 * done // size if size else 0


def _share(done: int, size: int) -> str:
    return _amount(size) if done == size else f"{_amount(done)} of {_amount(size)}"


def _amount(count: float) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count:.0f} B"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

"""The downloads of this site as browsers are shown them, for pages that show no files."""

from msgspec import Struct

from inference.repository.downloads.active_download import ActiveDownload
from inference.serving import runtime


class LiveDownload(Struct, frozen=True, kw_only=True):
    """One download; `percent` is None before its size is known, `message` says why it ended."""

    id: str
    state: str
    percent: int | None = None
    message: str = ""


def downloads() -> tuple[LiveDownload, ...]:
    """Those that run or have ended since the site started, the newest first."""
    return tuple(map(_live, runtime.downloads().known()))


def _live(download: ActiveDownload) -> LiveDownload:
    progress = download.progress
    percent = 100 * progress.done // progress.size if progress.size else None
    return LiveDownload(id=download.id, state=download.state, percent=percent, message=download.message)

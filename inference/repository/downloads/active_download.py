"""One download as it is now, and its states."""

from enum import StrEnum

import msgspec

from inference.repository.downloads.progress import FetchProgress

COMPLETE = "It is ready."


class DownloadState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"  # there is no such model, or none that can be served: another try ends the same
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # its draft is there, but its process is not
    ELSEWHERE = "elsewhere"  # another program makes the model
    LEFT = "left"  # a draft that cannot be resumed


class ActiveDownload(msgspec.Struct, frozen=True, kw_only=True):
    """One download as it is now; seconds since the epoch."""

    id: str
    state: DownloadState
    progress: FetchProgress = FetchProgress()
    message: str = ""
    began_at: float = 0.0
    heard_at: float = 0.0

    @property
    def is_running(self) -> bool:
        return self.state is DownloadState.RUNNING

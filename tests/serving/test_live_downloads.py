"""The downloads as browsers are shown them."""

from typing import Any

from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.progress import FetchProgress, FileProgress
from inference.serving import live_downloads, runtime
from inference.serving.live_downloads import LiveDownload


class Register:
    """Downloads of which one goes on, one begins and one has failed."""

    def known(self) -> tuple[ActiveDownload, ...]:
        progress = FetchProgress(files=(FileProgress(name="w", done=1, size=3),))
        return (
            ActiveDownload(id="org/coming", state=DownloadState.RUNNING, progress=progress),
            ActiveDownload(id="org/starting", state=DownloadState.RUNNING),
            ActiveDownload(id="org/failed", state=DownloadState.FAILED, message="No room."),
        )


def test_each_has_its_state_and_its_share() -> None:
    register: Any = Register()
    with runtime.use_downloads(register):
        assert live_downloads.downloads() == (
            LiveDownload(id="org/coming", state="running", percent=33),
            LiveDownload(id="org/starting", state="running"),
            LiveDownload(id="org/failed", state="failed", message="No room."),
        )

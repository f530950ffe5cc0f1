"""A download's state and progress as texts."""

from inference.admin.download_view import DownloadView
from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.progress import FetchProgress, FileProgress
from tests.each import each


@each(
    ("done", "speed", "note", "text"),
    [
        (2_000_000_000, 50e6, "", "2.0 GB of 5.0 GB at 50.0 MB/s, about 60 s left"),
        (2_000_000_000, 5e6, "", "2.0 GB of 5.0 GB at 5.0 MB/s, about 10 min left"),
        (2_000_000_000, 100e3, "", "2.0 GB of 5.0 GB at 100.0 kB/s, about 8.3 h left"),
        (12, 0.0, "", "12 B of 5.0 GB"),
        (
            0,
            0.0,
            "The hub is limiting the rate of requests.",
            "0 B of 5.0 GB. The hub is limiting the rate of requests.",
        ),
        (5_000_000_000, 0.0, "", "5.0 GB"),
    ],
)
def test_the_pace_is_a_sentence(done: int, speed: float, note: str, text: str) -> None:
    files = (FileProgress(name="a", done=done, size=5_000_000_000),)
    progress = FetchProgress(files=files, bytes_per_s=speed, note=note)
    sight = DownloadView.of(ActiveDownload(id="a/b", state=DownloadState.RUNNING, progress=progress))
    assert sight.text == text


@each(
    ("state", "offered"),
    [
        (DownloadState.RUNNING, {"can_cancel"}),
        (DownloadState.DONE, set()),
        (DownloadState.FAILED, {"can_resume", "can_discard"}),
        (DownloadState.REFUSED, {"can_dismiss"}),
        (DownloadState.INTERRUPTED, {"can_resume", "can_discard"}),
        (DownloadState.LEFT, {"can_discard"}),
        (DownloadState.ELSEWHERE, set()),
    ],
)
def test_each_state_offers_what_helps(state: DownloadState, offered: set[str]) -> None:
    view = DownloadView.of(ActiveDownload(id="a/b", state=state))
    names = ("can_cancel", "can_resume", "can_discard", "can_dismiss")
    assert {name for name in names if getattr(view, name)} == offered

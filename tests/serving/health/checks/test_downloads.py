"""Downloads that failed."""

import pytest

from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.serving import runtime
from inference.serving.health.checks import downloads


class FixedRegister:
    def __init__(self, *states: DownloadState) -> None:
        self._states = states

    def all(self) -> list[ActiveDownload]:
        return [
            ActiveDownload(id=f"org/{state}", state=state, message="no network") for state in self._states
        ]


@pytest.mark.parametrize(
    ("states", "named"),
    [
        ((DownloadState.RUNNING, DownloadState.DONE, DownloadState.CANCELLED), []),
        (
            (DownloadState.FAILED, DownloadState.INTERRUPTED),
            ["org/failed failed: no network", "org/interrupted was interrupted"],
        ),
    ],
)
def test_those_that_stopped_by_themselves_are_told_of(
    monkeypatch: pytest.MonkeyPatch, states: tuple[DownloadState, ...], named: list[str]
) -> None:
    monkeypatch.setattr(runtime, "downloads", lambda: FixedRegister(*states))
    results = [result for result in downloads.check() if result.state != "good"]
    assert len(results) == len(named)
    assert all(text in result.text and result.link for text, result in zip(named, results, strict=True))

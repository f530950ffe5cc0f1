"""Downloads that failed or were interrupted."""

from collections.abc import Iterator

from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.serving import runtime
from inference.serving.health.finding import CheckResult

_LINK = "/admin/inference/download/"
_ADVICE = "Resume or discard it."


def check() -> Iterator[CheckResult]:
    found = [_result(download) for download in runtime.downloads().all() if _is_stuck(download)]
    yield from found or [CheckResult(about="downloads", text="none has failed")]


def _is_stuck(download: ActiveDownload) -> bool:
    return download.state in (DownloadState.FAILED, DownloadState.INTERRUPTED)


def _result(download: ActiveDownload) -> CheckResult:
    has_failed = download.state is DownloadState.FAILED
    reason = f": {download.message}" if download.message else "."
    text = f"The download of {download.id} {'failed' if has_failed else 'was interrupted'}{reason}"
    return CheckResult(about="downloads", text=text, state="look", advice=_ADVICE, link=_LINK)

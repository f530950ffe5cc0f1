"""The child process of one download, as the site sees it (process.py is what runs in it)."""

import errno
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from inference.core.subprocess_environment import of_helpers
from inference.repository.downloads.active_download import COMPLETE, DownloadState
from inference.repository.downloads.process import Ending, Line
from inference.repository.downloads.progress import FetchProgress

_END_S = 5.0


class DownloadProcess:
    """The process that fetches one model, and the thread that reads its output.

    `on_progress` and `end` are called by that thread; raises OSError when either cannot be started.
    """

    def __init__(
        self,
        name: str,
        target: Path,
        on_progress: Callable[[str, FetchProgress], None],
        end: Callable[[str, DownloadState, str], None],
    ) -> None:
        self._name, self._on_progress, self._end = name, on_progress, end
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
            raise OSError(errno.EAGAIN, "it cannot start a thread") from error

    def stop(self) -> None:
        """Kill the process and wait for its end: after this nothing is written any more."""
        self._is_stopped = True
        self._process.kill()
        self._thread.join(_END_S)

    def _follow(self) -> None:
        ending = None
        try:
            with self._process as process:
                for line in process.stdout or ():
                    message = msgspec.json.decode(line, type=Line)
                    if isinstance(message, Ending):
                        ending = message
                        break
                    self._on_progress(self._name, message)
        finally:  # also after output that cannot be decoded
            self._end(self._name, *self._outcome(ending))

    def _outcome(self, ending: Ending | None) -> tuple[DownloadState, str]:
        if ending and not ending.failure:
            return DownloadState.DONE, COMPLETE
        if ending:
            return DownloadState.REFUSED if ending.is_final else DownloadState.FAILED, ending.failure
        if self._is_stopped:
            return DownloadState.CANCELLED, "The partial files are kept; resume the download to continue."
        return DownloadState.FAILED, (
            "Its process ended unexpectedly. The partial files are kept; resume the download to continue."
        )

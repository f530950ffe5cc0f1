"""A register with one download, in the state that a test asks for."""

from inference.repository.downloads.active_download import ActiveDownload, DownloadState
from inference.repository.downloads.progress import FetchProgress, FileProgress

MODEL = "mlx-community/Qwen3-8B-4bit"  # one that the fake site has


class ScriptedDownloads:
    def __init__(self) -> None:
        self._known: tuple[ActiveDownload, ...] = ()

    def set(self, state: str) -> None:
        """Have the download be in this state, or be gone for "none"."""
        progress = FetchProgress(files=(FileProgress(name="model.safetensors", done=42, size=100),))
        message = "The hub cannot be reached." if state == "failed" else ""
        self._known = ()
        if state != "none":
            one = ActiveDownload(id=MODEL, state=DownloadState(state), progress=progress, message=message)
            self._known = (one,)

    def known(self) -> tuple[ActiveDownload, ...]:
        return self._known

    def all(self) -> tuple[ActiveDownload, ...]:
        return self._known

    def running(self) -> tuple[ActiveDownload, ...]:
        return tuple(one for one in self._known if one.is_running)

"""The Hugging Face hub: allow-listed files only, checked against the hub's own list before they count."""

import hashlib
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, snapshot_download

from inference.sources.staging import staged

# Never Python, pickled weights or GGUF: what is downloaded must not be able to run.
ALLOWED = (
    "*.safetensors",
    "*.json",
    "*.jinja",
    "tokenizer.model",
    "tiktoken.model",
    "merges.txt",
    "vocab.txt",
)
_ANSWER_WITHIN_S = 5.0
_POLL_S = 0.2
OnProgress = Callable[[str, int, int], None]


class HubUnavailable(Exception):
    """The hub cannot give this model; the message says why."""


def download(repo_id: str, target: Path, on_progress: OnProgress) -> None:
    """Make the model folder `target` of a repository, going on where an interrupted download stopped."""
    try:
        info = HfApi().model_info(repo_id, files_metadata=True, timeout=_ANSWER_WITHIN_S)
        with staged(target, keeps_draft=True) as draft:
            _fetch(repo_id, str(info.sha), draft, on_progress, total=_size(info))
            shutil.rmtree(draft / ".cache", ignore_errors=True)
            _check(draft, info)
    except HubUnavailable:
        raise
    except Exception as error:  # the hub's client raises those of whichever HTTP library it is built on
        raise HubUnavailable(f"the hub did not give {repo_id} ({type(error).__name__})") from error


def _fetch(repo_id: str, revision: str, draft: Path, on_progress: OnProgress, total: int) -> None:
    done: Future[Any] = Future()

    def fetch() -> None:
        try:
            done.set_result(
                snapshot_download(repo_id, revision=revision, local_dir=draft, allow_patterns=list(ALLOWED))
            )
        except BaseException as error:  # carried to the thread that waits
            done.set_exception(error)

    threading.Thread(target=fetch, daemon=True).start()
    while not done.done():
        on_progress("Downloading", min(folder_size(draft), total), total)
        threading.Event().wait(_POLL_S)
    done.result()


def _allowed(info: Any) -> list[Any]:
    return [file for file in info.siblings or [] if any(Path(file.rfilename).match(p) for p in ALLOWED)]


def _size(info: Any) -> int:
    return sum(file.size or 0 for file in _allowed(info))


def _check(draft: Path, info: Any) -> None:
    """Compare what came with what the hub lists: the size of all files, the SHA-256 of the large ones."""
    for file in _allowed(info):
        path = draft / file.rfilename
        if not path.exists() or (file.size is not None and path.stat().st_size != file.size):
            raise HubUnavailable(f"{file.rfilename} did not arrive whole")
        if file.lfs and sha256(path) != file.lfs.sha256:
            path.unlink()
            raise HubUnavailable(f"{file.rfilename} is not what the hub says it is")


def folder_size(folder: Path) -> int:
    """Bytes of all files below, also while they come and go."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

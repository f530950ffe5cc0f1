"""The Hugging Face hub: allow-listed files only, checked against the hub's own list before they count."""

import hashlib
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.utils import disable_progress_bars

from inference.sources.staging import staged

# Never Python, pickled weights or GGUF: what is downloaded must not be able to run.
# And from the top only: below lie other formats and examples.
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
_SPARE_BYTES = 10**9  # stays free, for the database and everybody else
OnProgress = Callable[[str, int, int], None]


class HubUnavailable(Exception):
    """The hub cannot give this model; the message says why."""


class NoRoom(Exception):
    """The disk has no room for the model; the message has the numbers."""


def download(repo_id: str, target: Path, on_progress: OnProgress, *, endpoint: str | None = None) -> None:
    """Make the model folder `target` of a repository, going on where an interrupted download stopped.

    `endpoint` is the hub's address, by default the one its client is set to.
    """
    try:
        info = HfApi(endpoint).model_info(repo_id, files_metadata=True, timeout=_ANSWER_WITHIN_S)
        if not {"config.json", ".safetensors"} <= {_kind(file.rfilename) for file in _allowed(info)}:
            raise HubUnavailable(f"{repo_id} holds no safetensors model")
        _check_room(info, target)
        with staged(target, keeps_draft=True) as draft:
            _fetch(info, draft, on_progress, endpoint)
            _check(draft, info)
    except (HubUnavailable, NoRoom, BlockingIOError):
        raise
    except Exception as error:  # the hub's client raises those of whichever HTTP library it is built on
        raise HubUnavailable(f"the hub did not give {repo_id} ({type(error).__name__})") from error


def _check_room(info: Any, target: Path) -> None:
    """Half a model on a full disk helps nobody, and a full disk hurts everybody."""
    needed = sum(file.size or 0 for file in _allowed(info))
    there = next(folder for folder in (target, *target.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed + _SPARE_BYTES > free:
        raise NoRoom(
            f"{info.id} needs {needed / 10**9:.1f} GB and the disk has {free / 10**9:.1f} GB free; "
            "make room first"
        )


def _kind(name: str) -> str:
    return ".safetensors" if name.endswith(".safetensors") else name


def _fetch(info: Any, draft: Path, on_progress: OnProgress, endpoint: str | None) -> None:
    disable_progress_bars()  # there is one already, fed by on_progress
    total = sum(file.size or 0 for file in _allowed(info))
    done: Future[Any] = Future()

    def fetch() -> None:
        try:
            done.set_result(
                snapshot_download(
                    info.id,
                    revision=str(info.sha),
                    local_dir=draft,
                    allow_patterns=list(ALLOWED),
                    ignore_patterns=["*/*"],
                    endpoint=endpoint,
                )
            )
        except BaseException as error:  # carried to the thread that waits
            done.set_exception(error)

    threading.Thread(target=fetch, daemon=True).start()
    while not done.done():
        on_progress("Downloading", min(folder_size(draft), total), total)
        threading.Event().wait(_POLL_S)
    done.result()


def _allowed(info: Any) -> list[Any]:
    names = ((file, file.rfilename) for file in info.siblings or [])
    return [file for file, name in names if "/" not in name and any(fnmatch(name, p) for p in ALLOWED)]


def _check(draft: Path, info: Any) -> None:
    """Compare what came with what the hub lists: names, sizes and hashes."""
    expected = {file.rfilename: file for file in _allowed(info)}
    for path in draft.iterdir():  # the client's notes, and what an older revision had
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in expected:
            path.unlink()
    for name, file in expected.items():
        path = draft / name
        if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
            raise HubUnavailable(f"{name} did not arrive whole")
        if _hash(path, file) not in {file.lfs.sha256 if file.lfs else file.blob_id, None}:
            path.unlink()
            raise HubUnavailable(f"{name} is not what the hub says it is")


def _hash(path: Path, file: Any) -> str | None:
    """As the hub counts it: SHA-256 of a large file, git's own name of a small one."""
    if file.lfs:
        return sha256(path)
    if not file.blob_id:
        return None
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


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

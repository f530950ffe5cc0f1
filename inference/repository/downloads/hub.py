"""Downloads from the Hugging Face hub: allow-listed files only, checked against the hub's own list."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from inference.core import disk_space
from inference.repository.downloads import hub_settings
from inference.repository.downloads.errors import (
    BehindLink,
    DiskFull,
    FetchFailed,
    HubUnavailable,
    NotAModel,
    NotAnId,
    TakenAlready,
    ThereAlready,
)
from inference.repository.downloads.http import HubClient
from inference.repository.downloads.hub_names import check_id, is_name
from inference.repository.downloads.listing import Listing
from inference.repository.downloads.partial_file import HubFile, PartialFile, delete_other, is_there
from inference.repository.downloads.progress import OnProgress, SpeedMeter
from inference.repository.downloads.retry_policy import RetryPolicy
from inference.repository.downloads.transient_error import TransientError
from inference.repository.files import folder_tree, staging
from inference.repository.files.folder_tree import folder_size
from inference.repository.files.staging import draft_of, staged

_PROGRESS_BYTES = 2**20  # an attempt that brought so much does not count as failed
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check_target(name: str, target: Path) -> None:
    """Raise ThereAlready where a model or link has this name, BehindLink where a link is above it."""
    if os.path.lexists(target):
        raise ThereAlready(name)
    _check_owner(name, target)


def _check_owner(name: str, target: Path) -> None:
    # The models folder itself may be a link. OWNER in it is one where another program's models are served.
    if target.parts[-2:] == tuple(name.split("/")) and target.parent.is_symlink():
        raise BehindLink(name, target.parent.name)


def download(
    repo_id: str,
    target: Path,
    on_progress: OnProgress,
    *,
    endpoint: str | None = None,
    retry_policy: RetryPolicy | None = None,
) -> None:
    """Download a repository into the model folder `target`, or resume an interrupted download.

    1. Read the hub's list of files, and refuse a repository that cannot be served.
    2. Check the disk space, and lock a hidden draft folder beside `target`.
    3. Delete what an older revision left in the draft.
    4. Fetch each file, the small ones first. A finished file with the right hash is kept; a partial file is
       resumed by a range request. Transient errors are retried.
    5. Check each file's hash, and what the small files say about the model.
    6. Rename the draft to `target`.

    Raises FetchFailed; the draft stays for the next try. An exception of `on_progress` ends the download at
    once. `endpoint` is the hub's address, by default HF_ENDPOINT.
    """
    check_id(repo_id)
    check_target(repo_id, target)
    with (
        _readable_errors(repo_id, target),
        hub_settings.connect(repo_id, retry_policy or RetryPolicy(), endpoint=endpoint) as client,
    ):
        listing = Listing.of(repo_id, client.listing())
        _check_disk_space(repo_id, listing, target)
        with _discard_if_no_model(target), staged(target, keeps_draft=True) as draft:
            _tidy(
                draft,
                {draft / name for file in listing.files for name in (file.name, PartialFile.name_of(file))},
            )
            meter = SpeedMeter({file.name: file.size for file in listing.files}, on_progress)
            meter.report(note="Checking existing files.")
            for file in listing.files:
                _check_disk_space(repo_id, listing, target)
                _fetch(client, listing.revision, file, draft, meter)
                listing.check(draft, file.name)


def discard(name: str, models_dir: Path) -> bool:
    """Delete the draft of a model, if there is one; raises FetchFailed while it is being made."""
    if not is_name(name):
        raise NotAnId
    target = models_dir / name
    _check_owner(name, target)
    with _readable_errors(name, target):
        if not draft_of(target).is_dir():
            return False
        staging.discard(target)
        return True


@contextmanager
def _readable_errors(repo_id: str, target: Path) -> Iterator[None]:
    """Convert errors of the disk to FetchFailed, and add advice to those of the hub."""
    try:
        yield
    except FetchFailed:
        raise
    except TransientError as error:
        has_begun = folder_size(draft_of(target)) > 0
        then = "The partial files are kept; download again to continue." if has_begun else "Try again later."
        raise type(error.then)(f"{error} {then}") from None
    except FileExistsError:
        raise ThereAlready(repo_id) from None
    except BlockingIOError:
        raise TakenAlready(repo_id) from None
    except OSError as error:
        if error.errno not in _FULL:
            raise FetchFailed(
                f"{repo_id} cannot be written: {error.strerror}. Check the permissions of the models folder."
            ) from error
        raise DiskFull(
            f"The disk is full. Free some space, then download {repo_id} again: the partial files are kept."
        ) from error


@contextmanager
def _discard_if_no_model(target: Path) -> Iterator[None]:
    """Delete the draft of a repository that turned out to be no model."""
    try:
        yield
    except NotAModel:
        staging.discard(target)
        raise


def _check_disk_space(repo_id: str, listing: Listing, target: Path) -> None:
    """Raise DiskFull unless the rest of the model fits on the disk."""
    there = folder_size(draft_of(target))
    if shortage := disk_space.shortage(target, max(0, listing.size - there)):
        kept = " The partial files are kept; download again to continue." if there else ""
        raise DiskFull(f"{repo_id} {shortage}.{kept}")


def _tidy(folder: Path, wanted: set[Path]) -> None:
    """Delete what an older revision or another program left; links are deleted, not followed."""
    folders = {path.parent for path in wanted}
    for entry in folder_tree.entries(folder):
        path = Path(entry.path)
        if entry.is_symlink() or not entry.is_dir():
            if entry.is_symlink() or path not in wanted:
                path.unlink(missing_ok=True)
        elif path in folders:
            _tidy(path, wanted)
        else:
            folder_tree.remove(path)


def _fetch(client: HubClient, revision: str, file: HubFile, draft: Path, meter: SpeedMeter) -> None:
    """Fetch one file, with retries after transient errors."""
    if is_there(draft, file):
        meter.begin(file.name, file.size)
        return
    delete_other(draft, file)
    with PartialFile(draft, file) as part:
        meter.begin(file.name, part.size)
        tries = 0
        while not part.is_whole:
            before = part.size
            try:
                _resume(client, revision, part, meter)
            except TransientError as error:
                tries = 0 if part.size - before >= _PROGRESS_BYTES else tries + 1
                meter.report(note=str(error))
                client.pause(error, tries)
        part.finish()


def _resume(client: HubClient, revision: str, part: PartialFile, meter: SpeedMeter) -> None:
    file = part.file
    with client.file(revision, file.name, part.size) as response:
        if not _continues(response, part):
            # The hub ignores ranges, or has another file there: start again.
            part.restart()
            meter.begin(file.name, 0)
        if response.status_code != 200 and not part.size:
            raise TransientError(HubUnavailable(f"The hub does not return the beginning of {file.name}."))
        for chunk in response.iter_raw():
            part.add(chunk)
            meter.add(file.name, len(chunk))
    if not part.is_whole:
        raise TransientError(HubUnavailable(f"{file.name} ends before the hub says it does."))


def _continues(response: httpx.Response, part: PartialFile) -> bool:
    """Whether the response continues exactly where the partial file ends."""
    if not part.size:
        return response.status_code == 200
    content_range = response.headers.get("content-range", "")
    return response.status_code == 206 and content_range.startswith(f"bytes {part.size}-")

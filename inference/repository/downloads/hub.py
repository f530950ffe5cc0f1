"""The Hugging Face hub: allow-listed files only, checked against the hub's own list before they count."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from huggingface_hub import get_token

from inference.core import disk_space
from inference.repository.downloads.errors import (
    BehindLink,
    FetchFailed,
    HubUnavailable,
    NoRoom,
    NotAModel,
    NotAnId,
    TakenAlready,
    ThereAlready,
)
from inference.repository.downloads.http import RetryPolicy, TransientError, Wire
from inference.repository.downloads.listing import Listing
from inference.repository.downloads.partial_file import HubFile, PartialFile, is_there
from inference.repository.downloads.progress import OnProgress, SpeedMeter
from inference.repository.files import folder_tree, staging
from inference.repository.files.folder_tree import folder_size
from inference.repository.files.staging import draft_of, staged

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_WORTH_A_TRY = 2**20  # a connection that brought so much was no failure
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_HUB = "https://huggingface.co"
_PAGE = re.compile(r"((?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)([^/?#]+/[^/?#]+)([/?#].*)?")


def check_id(name: str) -> None:
    """NotAnId unless it is OWNER/NAME: no address, and no path that leads elsewhere."""
    if not _is_id(name):
        raise NotAnId(_instead(name))


def check_target(name: str, target: Path) -> None:
    """ThereAlready where there is a model or a link of this name, BehindLink where a link is above it."""
    if os.path.lexists(target):
        raise ThereAlready(name)
    _check_owner(name, target)


def _check_owner(name: str, target: Path) -> None:
    # The models folder itself may be a link. OWNER in it is one where another program's models are served.
    if target.parts[-2:] == tuple(name.split("/")) and target.parent.is_symlink():
        raise BehindLink(name, target.parent.name)


def _instead(name: str) -> str:
    """What to do where the address of a model's page was given; empty when it is none."""
    page = _PAGE.fullmatch(name)
    if page is None or not _is_id(page[2]):
        return ""
    rest = (page[3] or "").rstrip("/")
    return f"Leave out {page[1]}{f' and {rest}' if rest else ''}: {page[2]}."


def _is_id(name: str) -> bool:
    return bool(_ID.fullmatch(name)) and ".." not in name and "--" not in name


def download(
    repo_id: str,
    target: Path,
    on_progress: OnProgress,
    *,
    endpoint: str | None = None,
    patience: RetryPolicy | None = None,
) -> None:
    """Make the model folder `target` of a repository, going on where an interrupted download stopped.

    Raises FetchFailed. What `on_progress` raises ends it at once; nothing goes on behind the caller's back.
    `endpoint` is the hub's address, by default HF_ENDPOINT.
    """
    check_id(repo_id)
    check_target(repo_id, target)
    if endpoint is None and _is_offline():
        raise HubUnavailable("HF_HUB_OFFLINE is set, so the hub is not asked; unset it to download.")
    home = endpoint or os.environ.get("HF_ENDPOINT") or _HUB
    with _told(repo_id, target), Wire(home, get_token(), repo_id, patience or RetryPolicy()) as wire:
        listing = Listing.of(repo_id, wire.listing())
        _check_room(repo_id, listing, target)
        with _emptied_for_nothing(target), staged(target, keeps_draft=True) as draft:
            _tidy(
                draft,
                {draft / name for file in listing.files for name in (file.name, PartialFile.name_of(file))},
            )
            meter = SpeedMeter({file.name: file.size for file in listing.files}, on_progress)
            meter.tell(note="Looking at what is there already.")
            for file in listing.files:
                _check_room(repo_id, listing, target)
                _fetch(wire, listing.revision, file, draft, meter)
                listing.check(draft, file.name)


def is_name(name: str) -> bool:
    """Whether a model in the models folder may be called so: OWNER/NAME is a download, NAME an import."""
    return bool(staging.NAME.fullmatch(name)) or _is_id(name)


def discard(name: str, models_dir: Path) -> bool:
    """Delete the beginning of a model, if there is one; raises FetchFailed while somebody makes it."""
    if not is_name(name):
        raise NotAnId
    target = models_dir / name
    _check_owner(name, target)
    with _told(name, target):
        if not draft_of(target).is_dir():
            return False
        staging.discard(target)
        return True


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


@contextmanager
def _told(repo_id: str, target: Path) -> Iterator[None]:
    """The disk's errors in words, and what to do after the hub's."""
    try:
        yield
    except FetchFailed:
        raise
    except TransientError as trouble:
        has_begun = folder_size(draft_of(target)) > 0
        then = "What has come is kept; download again to go on." if has_begun else "Download it later."
        raise type(trouble.then)(f"{trouble} {then}") from None
    except FileExistsError:
        raise ThereAlready(repo_id) from None
    except BlockingIOError:
        raise TakenAlready(repo_id) from None
    except OSError as error:
        if error.errno not in _FULL:
            raise FetchFailed(
                f"{repo_id} cannot be written: {error.strerror}. Look at the models folder's permissions."
            ) from error
        raise NoRoom(
            f"The disk is full. Make room, then download {repo_id} again: what has come is kept."
        ) from error


@contextmanager
def _emptied_for_nothing(target: Path) -> Iterator[None]:
    """What can never be a model is not kept to go on with."""
    try:
        yield
    except NotAModel:
        staging.discard(target)
        raise


def _check_room(repo_id: str, listing: Listing, target: Path) -> None:
    """Half a model on a full disk helps nobody, and a full disk hurts everybody."""
    there = folder_size(draft_of(target))
    if shortage := disk_space.shortage(target, max(0, listing.size - there)):
        kept = " What has come is kept; download again to go on." if there else ""
        raise NoRoom(f"{repo_id} {shortage}.{kept}")


def _tidy(folder: Path, wanted: set[Path]) -> None:
    """Remove what an older revision left, and the notes of other programs; links too, unfollowed."""
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


def _fetch(wire: Wire, revision: str, file: HubFile, draft: Path, meter: SpeedMeter) -> None:
    """One file, in as many tries as it takes and the hub's trouble deserves."""
    if is_there(draft, file):
        meter.begin(file.name, file.size)
        return
    with PartialFile(draft, file) as part:
        meter.begin(file.name, part.size)
        tries = 0
        while not part.is_whole:
            before = part.size
            try:
                _go_on(wire, revision, part, meter)
            except TransientError as trouble:
                tries = 0 if part.size - before >= _WORTH_A_TRY else tries + 1
                meter.tell(note=str(trouble))
                wire.pause(trouble, tries)
        part.finish()


def _go_on(wire: Wire, revision: str, part: PartialFile, meter: SpeedMeter) -> None:
    file = part.file
    with wire.file(revision, file.name, part.size) as response:
        if not _continues(response, part):
            # It ignores ranges, or has something else there: from the beginning, then.
            part.restart()
            meter.begin(file.name, 0)
        if response.status_code != 200 and not part.size:
            raise TransientError(HubUnavailable(f"The hub does not give the beginning of {file.name}."))
        for chunk in response.iter_raw():
            part.add(chunk)
            meter.add(file.name, len(chunk))
    if not part.is_whole:
        raise TransientError(HubUnavailable(f"{file.name} ends before the hub says it does."))


def _continues(response: httpx.Response, part: PartialFile) -> bool:
    """Whether the answer goes on exactly where we are."""
    if not part.size:
        return response.status_code == 200
    said = response.headers.get("content-range", "")
    return response.status_code == 206 and said.startswith(f"bytes {part.size}-")

"""The drafts of models that are being quantised: each has a file with its job, which tells it from others."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from inference.core.installation import PROGRAM
from inference.core.quantisation import JOB_FILE, QuantisationJob
from inference.repository.files import folder_tree, staging
from inference.repository.quantising.active_quantisation import ActiveQuantisation, State


def is_ours(draft: Path) -> bool:
    """Whether a draft is that of a quantisation."""
    return (draft / JOB_FILE).is_file()


def clear(models_dir: Path) -> list[ActiveQuantisation]:
    """Delete what quantisations left that were killed; those are returned as interrupted."""
    left = [name for name in _names(models_dir) if not staging.is_being_made(models_dir / name)]
    for name in left:
        discard(models_dir / name)
    message = "The server ended before it was made. What was there of it was deleted; start it again."
    return [ActiveQuantisation(name=name, state=State.INTERRUPTED, message=message) for name in left]


def elsewhere(models_dir: Path) -> list[ActiveQuantisation]:
    """Those that are being made now, by whichever program."""
    making = [name for name in _names(models_dir) if staging.is_being_made(models_dir / name)]
    message = f"Another program makes it, such as `{PROGRAM} quantise`."
    return [ActiveQuantisation(name=name, state=State.ELSEWHERE, message=message) for name in making]


def made_of(source: Path, models_dir: Path) -> str:
    """The name of a model that is being made of the one in this folder, by whichever program; or empty."""
    making = (name for name in _names(models_dir) if staging.is_being_made(models_dir / name))
    return next((name for name in making if _source(models_dir / name) == source), "")


def _source(target: Path) -> Path | None:
    """The folder of which a target is made; None before its process has written that down."""
    try:
        job = msgspec.json.decode((staging.draft_of(target) / JOB_FILE).read_bytes(), type=QuantisationJob)
    except (OSError, msgspec.DecodeError):
        return None
    return Path(job.source_path)


def discard(target: Path) -> None:
    """Delete the draft of a target, if there is one; one that another program makes by now stays."""
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        staging.discard(target)


def leave_note(target: Path) -> None:
    """Leave an empty draft of a target, so that the next site tells that it was interrupted."""
    with contextlib.suppress(OSError):
        staging.draft_of(target).mkdir(parents=True, exist_ok=True, mode=0o700)
        (staging.draft_of(target) / JOB_FILE).touch()


def _names(models_dir: Path) -> Iterator[str]:
    for entry in folder_tree.entries(models_dir):
        if not entry.is_dir(follow_symlinks=False):
            continue
        if entry.name.startswith("."):
            yield from _name(Path(entry.path))
        else:
            inner = folder_tree.entries(Path(entry.path))
            yield from (
                f"{entry.name}/{name}"
                for inside in inner
                if inside.name.startswith(".") and inside.is_dir(follow_symlinks=False)
                for name in _name(Path(inside.path))
            )


def _name(draft: Path) -> Iterator[str]:
    """The name of the model that a draft is of, if it is the draft of a quantisation."""
    name = draft.name[1:].removesuffix(".partial")
    if staging.draft_of(draft.with_name(name)) == draft and is_ours(draft):
        yield name

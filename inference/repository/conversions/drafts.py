"""The drafts of models that are being made: each has a file with its job, which tells it from others."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from inference.core.conversion import ConversionJob
from inference.repository.files import folder_tree, staging


class ConversionDrafts:
    """The drafts of one kind, which have a file named `job_file`, in a models folder."""

    def __init__(self, models_dir: Path, job_file: str) -> None:
        self._models_dir, self._job_file = models_dir, job_file

    def clear(self) -> list[str]:
        """Delete what processes left that were killed; returns the names of those models."""
        left = [name for name in self._names() if not staging.is_being_made(self._models_dir / name)]
        for name in left:
            discard(self._models_dir / name)
        return left

    def in_progress(self) -> list[str]:
        """The names of models that are being made now, by whichever program."""
        return [name for name in self._names() if staging.is_being_made(self._models_dir / name)]

    def made_of(self, source: Path) -> str:
        """The name of a model that is being made of this file or folder; or empty."""
        return next((name for name in self.in_progress() if self._source(name) == source), "")

    def leave_note(self, name: str) -> None:
        """Leave an empty draft of a model, so that the next site tells that it was interrupted."""
        draft = staging.draft_of(self._models_dir / name)
        with contextlib.suppress(OSError):
            draft.mkdir(parents=True, exist_ok=True, mode=0o700)
            (draft / self._job_file).touch()

    def _source(self, name: str) -> Path | None:
        """What a model is made of; None before its process has written that down."""
        try:
            written = (staging.draft_of(self._models_dir / name) / self._job_file).read_bytes()
            job = msgspec.json.decode(written, type=ConversionJob)
        except (OSError, msgspec.DecodeError):
            return None
        return Path(job.source_path)

    def _names(self) -> Iterator[str]:
        for entry in folder_tree.entries(self._models_dir):
            if not entry.is_dir(follow_symlinks=False):
                continue
            if entry.name.startswith("."):
                yield from self._name(Path(entry.path))
            else:
                inner = folder_tree.entries(Path(entry.path))
                yield from (
                    f"{entry.name}/{name}"
                    for inside in inner
                    if inside.name.startswith(".") and inside.is_dir(follow_symlinks=False)
                    for name in self._name(Path(inside.path))
                )

    def _name(self, draft: Path) -> Iterator[str]:
        """The name of the model that a draft is of, if it is the draft of such a model."""
        name = draft.name[1:].removesuffix(".partial")
        if staging.draft_of(draft.with_name(name)) == draft and (draft / self._job_file).is_file():
            yield name


def discard(target: Path) -> None:
    """Delete the draft of a target, if it can be; one that another program makes by now stays."""
    with contextlib.suppress(OSError):
        staging.discard(target)

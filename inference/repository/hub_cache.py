"""The models in the Hugging Face cache, which other programs fill and clear while it is read.

The layout is https://huggingface.co/docs/huggingface_hub/guides/manage-cache. huggingface_hub has a scan of
its own, which reads every file of every revision, and fails for the whole cache when one vanishes meanwhile.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants

from inference.repository.files import folder_tree
from inference.repository.files.safetensors import BrokenWeights, weight_files
from inference.repository.model_folders import Place, lacking, sayable

_PREFIX = "models--"


def snapshots(cache: Path | None = None) -> Iterator[Place]:
    """The newest complete snapshot of every model; OSError where the cache cannot be read."""
    for repo in folder_tree.entries(cache or Path(constants.HF_HUB_CACHE)):
        name = repo.name.removeprefix(_PREFIX).replace("--", "/")
        if not repo.name.startswith(_PREFIX) or not name or sayable(name) != name:
            continue
        if folder := _newest(Path(repo.path) / "snapshots"):
            yield Place(name=name, folder=folder, source="hub")


def _newest(revisions: Path) -> Path | None:
    try:
        found = [Path(entry.path) for entry in folder_tree.entries(revisions)]
        newest = sorted(found, key=_changed_at, reverse=True)
    except OSError:  # this repository alone cannot be read
        return None
    return next(filter(_is_whole, newest), None)


def _changed_at(revision: Path) -> float:
    """When the last of its files came."""
    return max(map(_came_at, folder_tree.entries(revision)), default=0.0)


def _came_at(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat().st_mtime
    except OSError:  # a link to nowhere, or gone since
        return 0.0


def _is_whole(folder: Path) -> bool:
    """False during a download, when its files appear one by one."""
    try:
        names = set(os.listdir(folder))
        return "config.json" in names and not lacking(names) and bool(weight_files(folder))
    except (BrokenWeights, OSError):
        return False

"""The hub's list of a repository's files: which are downloaded, and whether they make a model."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from inference.repository.downloads.errors import HubUnavailable, NotAModel
from inference.repository.downloads.partial_file import HubFile
from inference.repository.files import pooling, remote_code
from inference.repository.files.json_files import MOST_BYTES

# Never Python, pickled weights or GGUF: what is downloaded must not be able to run.
# And from the top only: below lie other formats and examples. The one folder that is downloaded says how an
# embedding model pools (inference/repository/files/pooling.py).
ALLOWED = (
    "model*.safetensors",  # no others are read (files/safetensors.py), and some repositories have both
    "*.json",
    "*.jinja",
    "tokenizer.model",
    "tiktoken.model",
    "merges.txt",
    "vocab.txt",
)
_PARTS = {
    "config.json": ("config.json",),
    "safetensors weights": ("model*.safetensors",),
    "tokenizer": ("tokenizer.json", "tokenizer.model", "tiktoken.model"),
}
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]{0,150}", re.ASCII)
_POOLING = re.compile(r"[0-9]_Pooling/config\.json", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_INDEX = "model.safetensors.index.json"
_STEPS = "modules.json"
_CONFIGS = ("config.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Listing:
    """One revision of a repository and the files to download, the small ones first."""

    revision: str
    files: tuple[HubFile, ...]
    repo: str = ""

    @classmethod
    def of(cls, repo: str, answer: Any) -> "Listing":
        """Read the hub's answer; raises HubUnavailable if it is not valid, NotAModel if a part is missing."""
        try:
            revision = answer["sha"]
            files = [_file(entry) for entry in answer["siblings"] if _is_allowed(entry["rfilename"])]
            is_sound = bool(_REVISION.fullmatch(revision))
        except (KeyError, TypeError, ValueError, AttributeError):
            is_sound = False
        # Two names that differ in their case alone are one file on most Macs.
        if not is_sound or len({file.name.casefold() for file in files}) < len(files):
            raise HubUnavailable(f"The hub's list of the files of {repo} is not valid; try again later.")
        for part, patterns in _PARTS.items():
            if not any(fnmatch(file.name, pattern) for file in files for pattern in patterns):
                raise NotAModel(
                    f"{repo} has no {part}, so it cannot be served. Choose another one; mlx-community has "
                    "models in a supported format."
                )
        if long := next((file for file in files if _is_too_long(file)), None):
            raise NotAModel(
                f"The {long.name} of {repo} has {long.size / 10**6:.0f} MB, which is more than any "
                "model has. Choose another one."
            )
        # Problems in the small files are found before the large ones are fetched.
        files.sort(key=lambda file: (file.name.endswith(".safetensors"), file.name))
        return cls(revision, tuple(files), repo)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def check(self, draft: Path, name: str) -> None:
        """Raise NotAModel when a small file shows that the model could not be served."""
        if name == _INDEX:
            self._check_index(_read(draft / name))
        if name in _CONFIGS and (key := remote_code.required_key(_read(draft / name))):
            raise NotAModel(
                f"It requires its own code ({name} has {key}), which this server never runs. "
                "Choose another model."
            )
        # The last of the files that describe pooling: those it names come before it.
        if name == (_STEPS if any(file.name == _STEPS for file in self.files) else "config.json"):
            _check_pooling(draft, self.repo)

    def _check_index(self, index: Mapping[str, Any]) -> None:
        try:
            named = set(index["weight_map"].values())
        except (KeyError, AttributeError, TypeError):
            raise NotAModel(f"Its {_INDEX} is not valid; choose another model.") from None
        if missing := sorted(map(str, named - {file.name for file in self.files})):
            raise NotAModel(
                f"{len(missing)} of its weight files do not exist on the hub as model*.safetensors, "
                f"such as {missing[0][:80]}. Choose another model, or try again when its owner has uploaded "
                "them."
            )


def _check_pooling(draft: Path, repo: str) -> None:
    try:
        pooling.read(draft, _read(draft / "config.json"), repo)
    except pooling.OddPooling as error:
        raise NotAModel(f"It cannot be served: {error}. Choose another model.") from None


def _is_allowed(name: str) -> bool:
    if _POOLING.fullmatch(name):
        return True
    return bool(_NAME.fullmatch(name)) and any(fnmatch(name, pattern) for pattern in ALLOWED)


def _is_too_long(file: HubFile) -> bool:
    """Whether it would have to be read, and is too large for that."""
    return file.name in MOST_BYTES and file.size > MOST_BYTES[file.name]


def _file(entry: Mapping[str, Any]) -> HubFile:
    """Read one entry; raises ValueError unless it has a size and a hash."""
    lfs = entry.get("lfs") or {}
    file = HubFile(
        name=entry["rfilename"],
        size=lfs.get("size", entry["size"]),
        sha256=lfs.get("sha256") or "",
        git_name="" if lfs else entry["blobId"],
    )
    if type(file.size) is not int or file.size < 0 or not _DIGEST.fullmatch(file.digest):
        raise ValueError(file.name)
    return file


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotAModel(f"Its {path.name} is not valid; choose another model.")
    return found

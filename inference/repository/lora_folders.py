"""The LoRA adapters of a model: folders below `adapters` in the model's own folder.

Links to folders are followed, as those to models are. An adapter is checked against the headers of its
model's weights, and what is wrong with it becomes its card's problem.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from inference.core.model_card import LoraCard
from inference.repository import memory_estimate
from inference.repository.files import folder_tree, lora
from inference.repository.files.lora import BrokenLora
from inference.repository.files.safetensors import Tensor
from inference.repository.model_folders import is_shown

FOLDER = "adapters"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = frozenset({"latest"})  # clients of Ollama write it behind every name
_MOST = 64  # of one model
_WORKSPACE = 1.1  # the copies that are made while one is loaded


def fingerprint(model: Path) -> int:
    """Changes whenever an adapter comes, goes or changes; 0 for a model without any."""
    return hash(tuple((path.name, version_of(path)) for path in _folders(model)))


def read(
    model: Path, config: Mapping[str, Any], tensors: Iterable[Tensor], *, dequantises: bool, refusal: str
) -> tuple[LoraCard, ...]:
    """The cards of a model's adapters by name; `refusal` says why this model can have none."""
    folders = list(_folders(model))
    if not folders:
        return ()
    shapes = memory_estimate.layer_shapes(tensors, config)
    cards = []
    for number, folder in enumerate(folders):
        too_many = f"there are more than {_MOST} adapters of this model" if number >= _MOST else ""
        lost = "" if folder.is_dir() else "it is a link to a folder that is not there"
        problem = _name_problem(folder.name) or refusal or too_many or lost
        cards.append(_card(folder, shapes, dequantises, problem))
    return tuple(cards)


def _card(folder: Path, shapes: Mapping[str, tuple[int, ...]], dequantises: bool, problem: str) -> LoraCard:
    card = LoraCard(name=folder.name, path=str(folder), version=version_of(folder))
    if problem:
        return LoraCard(name=card.name, path=card.path, problem=problem)
    try:
        files = lora.read(folder)
        lora.check_base(files.layers, shapes)
        state = files.weights.stat()
    except BrokenLora as error:
        return LoraCard(name=card.name, path=card.path, problem=str(error))
    except OSError:
        return LoraCard(name=card.name, path=card.path, problem="its files cannot be read")
    return LoraCard(
        name=card.name,
        path=card.path,
        version=card.version,
        weight_bytes=state.st_size,
        resident_bytes=int(files.resident_bytes(dequantises=dequantises) * _WORKSPACE),
        created=int(state.st_mtime),
    )


def _folders(model: Path) -> Iterator[Path]:
    """The folders and links that are taken for adapters, by name; none where there is no such folder."""
    try:
        names = sorted(os.listdir(model / FOLDER))
    except OSError:
        return
    for name in names:
        path = model / FOLDER / name
        if is_shown(name) and (path.is_dir() or path.is_symlink()):
            yield path


def version_of(folder: Path) -> str:
    """Another text after a change of the adapter's files; the same one in every process."""
    states = [(entry.name, *_state(entry)) for entry in folder_tree.entries(folder)]
    return hashlib.sha256(repr(states).encode(errors="replace")).hexdigest()[:16]


def _state(entry: "os.DirEntry[str]") -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:  # a link to nowhere, or gone since
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _name_problem(name: str) -> str:
    if not _NAME.fullmatch(name):
        return "its name may have letters, digits, '.', '_' and '-' alone, 64 at most"
    return f"{name!r} is a tag and no name; rename its folder" if name in _RESERVED else ""

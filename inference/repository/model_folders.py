"""Where models may lie below the models folder, and which links in it lead to some.

Links to folders are followed, because they are made to serve another program's models from where they are.
Nothing is ever written or deleted through a link. For a link that leads to no model there is a reason.
"""

import errno
import os
from collections import deque
from collections.abc import Iterator, Set
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

from msgspec import Struct

from inference.core.installation import PROGRAM

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tiktoken.model")
_DEEPEST = 4  # folders below the models folder
_DEEPEST_NAME = 2  # NAME or OWNER/NAME: a link to a file there was meant as a model
_MOST_FOLDERS = 5_000  # behind one link, which may lead to a whole home folder
_SYSTEM = frozenset({"lost+found"})  # at the top of every ext4 disk, and not readable
_ADAPTERS = "adapters"  # in a model's folder: they are no models of their own (lora_folders.py)
_NOWHERE = "it is a link to a folder that is not there"
_CIRCLE = "it is a link that leads to itself"
_FILE = "it is a link to a file, and a model is a folder"
_BACK = "it is a link that leads back to a folder above it"
_NO_MODEL = "it is a link to a folder without a model in it"
_TOO_MANY = "it is a link to a folder with too many folders in it; link the models themselves"
_GONE = (FileNotFoundError, NotADirectoryError)
Identity = tuple[int, int]  # of a folder, whatever its name: device and inode


class Place(Struct, frozen=True, kw_only=True):
    """A model's folder, or one that may be taken for one: then `problem` says why it is none."""

    name: str
    folder: Path
    source: Literal["folder", "hub"] = "folder"
    problem: str = ""


class _Spot(Struct, frozen=True, kw_only=True):
    """A folder or link on the way: what is above it, and whether it is a part of a model."""

    name: str
    path: Path
    above: tuple[Identity, ...]
    is_part: bool = False

    @property
    def depth(self) -> int:
        return self.name.count("/") + 1 if self.name else 0

    def unfit(self, problem: str) -> Iterator[Place]:
        """The place with its problem; none for parts of a model and for the models folder itself."""
        if self.name and not self.is_part:
            yield Place(name=self.name, folder=self.path, problem=problem)


def places(root: Path) -> Iterator[Place]:
    """Every model below `root`, and what may be taken for one; a folder that is not there has none."""
    return _Walk().places(root)


class _Walk:
    """One walk. Real folders come first: a link never takes the name of what is really there."""

    def __init__(self) -> None:
        self._links: deque[_Spot] = deque()
        self._known: dict[Identity, _Spot] = {}  # folders that were read, by the path that led to them
        self._is_behind_link = False
        self._left = 0  # folders behind a link that may still be read

    def places(self, root: Path) -> Iterator[Place]:
        try:
            above = tuple(_identity(folder) for folder in root.resolve().parents)
        except (OSError, RuntimeError):  # RuntimeError: it is a link that leads to itself
            return
        yield from self._look(_Spot(name="", path=root, above=above))
        self._is_behind_link = True
        while self._links:
            yield from self._follow(self._links.popleft())

    def _look(self, spot: _Spot) -> Iterator[Place]:
        """The models in a folder and in the real folders below it."""
        self._left -= 1
        try:
            here = _identity(spot.path)
            with os.scandir(spot.path) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except _GONE:
            return
        except OSError as error:
            yield from spot.unfit(f"it cannot be looked into ({error.strerror})")
            return
        is_model = "config.json" in (names := {entry.name for entry in entries})
        if is_model and spot.name and not (spot.is_part and lacking(names)):
            yield Place(name=spot.name, folder=spot.path)
        if (first := self._reached_before(spot, here)) is None:
            self._known[here] = spot
            yield from self._look_within(spot, entries, (*spot.above, here), is_model)
        elif not is_model:  # a model may have several names, a folder of models has one
            yield from spot.unfit(f"it is the same folder as {first.name or 'the models folder'}")

    def _reached_before(self, spot: _Spot, here: Identity) -> _Spot | None:
        """The path on which a folder was read already, if it was at most as deep as on this one."""
        # The numbers of real folders are not relied on: some network disks give the same one twice.
        first = self._known.get(here) if self._is_behind_link else None
        return first if first and first.depth <= spot.depth else None

    def _look_within(
        self, spot: _Spot, entries: list["os.DirEntry[str]"], above: tuple[Identity, ...], is_model: bool
    ) -> Iterator[Place]:
        if spot.depth == _DEEPEST:
            return
        for entry in entries:
            if not is_shown(entry.name) or entry.name in _SYSTEM:
                continue
            if is_model and spot.name and entry.name == _ADAPTERS:
                continue
            name = f"{spot.name}/{entry.name}" if spot.name else entry.name
            # What lies in a model's folder, such as an embedding model's 1_Pooling, is a part of it.
            inside = _Spot(name=name, path=Path(entry.path), above=above, is_part=spot.is_part or is_model)
            kind = _kind(entry)
            if kind == "link" and not (inside.is_part and spot.name):  # a model's own files may be links
                self._links.append(inside)
            elif kind == "folder" and (self._left > 0 or not self._is_behind_link):
                yield from self._look(inside)

    def _follow(self, link: _Spot) -> Iterator[Place]:
        """The models behind a link; where there is none, the link itself with the reason."""
        if problem := _problem(link):
            if _is_shown(link, problem):
                yield from link.unfit(problem)
            return
        self._left, waiting = _MOST_FOLDERS, len(self._links)
        found = list(self._look(link))
        yield from found
        if self._left <= 0:
            yield from link.unfit(_TOO_MANY)
        elif not found and len(self._links) == waiting:
            yield from link.unfit(_NO_MODEL)


def _is_shown(link: _Spot, problem: str) -> bool:
    """Whether this link is shown with its problem; one that has just been removed is no link any more."""
    return link.path.is_symlink() and (problem != _FILE or link.depth <= _DEEPEST_NAME)


def _problem(link: _Spot) -> str:
    """Why there can be no model behind a link; empty when there may be one."""
    try:
        there = link.path.stat()
    except FileNotFoundError:
        return _NOWHERE
    except OSError as error:
        if error.errno == errno.ELOOP:
            return _CIRCLE
        return f"it is a link to a folder that cannot be looked into ({error.strerror})"
    if not S_ISDIR(there.st_mode):
        return _FILE
    return _BACK if (there.st_dev, there.st_ino) in link.above else ""


def _identity(folder: Path) -> Identity:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _kind(entry: "os.DirEntry[str]") -> Literal["link", "folder", "other"]:
    try:
        if entry.is_symlink():
            return "link"
        return "folder" if entry.is_dir(follow_symlinks=False) else "other"
    except OSError:  # its disk fails
        return "other"


def lacking(names: Set[str]) -> str:
    """What a folder with these files lacks to be a model, as a text; empty for one with all parts."""
    endings = {Path(name).suffix for name in names}
    if ".safetensors" not in endings:
        if ".gguf" in endings:
            return f"its weights are a GGUF file; `{PROGRAM} import_gguf FILE` makes a model of it"
        return "it has no weights in the safetensors format"
    return "" if names & set(TOKENIZERS) else f"it has no tokenizer ({' or '.join(TOKENIZERS)})"


def is_shown(name: str) -> bool:
    """Whether an entry of the models folder is read: hidden ones are drafts."""
    is_draft = name.startswith(".") or name.endswith(".partial")
    return not is_draft and sayable(name) == name


def sayable(text: str) -> str:
    """The text without half surrogates, from odd file names or JSON escapes, which UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()

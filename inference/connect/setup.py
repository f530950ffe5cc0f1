"""Write a client's settings into its own files, and take that back to the byte."""

import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from inference.connect import client_file
from inference.connect.client import ConnectableClient, SettingsBlock, Values
from inference.connect.client_file import ClientFile
from inference.connect.errors import FileRefused, NothingToUndo
from inference.connect.merging import merge
from inference.connect.merging.errors import Unmergeable

_RECORD_MODE = 0o600
_MOST_BACKUPS = 100


class Written(Struct, frozen=True, kw_only=True):
    """One file that was written: `backup` has its bytes from before, and is empty if there was no file."""

    path: str
    digest: str  # of what was written
    backup: str
    mode: int
    folders: tuple[str, ...] = ()  # that were made for it, innermost first


class Setup:
    """The files of one client in a home folder; `records` is the folder that remembers what was written."""

    def __init__(self, client: ConnectableClient, home: Path, records: Path) -> None:
        self._client = client
        self._home = home
        self._record = records / f"{client.name}.json"

    def check(self, values: Values) -> None:
        """Raise FileRefused for a file that `write` could not change."""
        for part in self._client.files:
            self._plan(part, values)

    def write(self, values: Values) -> list[Written]:
        """Put the settings into each file; raises FileRefused, before or after some of the files."""
        plans = [self._plan(part, values) for part in self._client.files]
        known = {one.path: one for one in self._known()}
        for file, before, content in plans:
            known[str(file.path)] = self._written(file, before, content, known.get(str(file.path)))
            self._remember(known.values())
        return [known[str(file.path)] for file, _, _ in plans]

    def undo(self) -> list[Written]:
        """Give each file its bytes from before; raises FileRefused if one was changed, NothingToUndo."""
        known = self._known()
        if not known:
            raise NothingToUndo
        for one in known:
            self._check_unchanged(one)
        for one in known:
            _restore(one)
        self._record.unlink(missing_ok=True)
        return known

    def _plan(self, part: SettingsBlock, values: Values) -> tuple[ClientFile, bytes | None, bytes]:
        """A file, what it has now, and what it will have."""
        file = ClientFile(self._home / part.path.removeprefix("~/"))
        before = file.read()
        mark, text = client_file.decoded(file.named, before or b"")
        try:
            changed = merge.merged(text, part.filled(values), part.syntax, part.keeps)
        except Unmergeable as error:
            raise FileRefused(file.named, str(error)) from None
        return file, before, (mark + changed).encode()

    def _written(
        self, file: ClientFile, before: bytes | None, content: bytes, earlier: Written | None
    ) -> Written:
        if earlier and before is not None and client_file.digest(before) == earlier.digest:
            # As it was left the last time: what was before that is what an undo goes back to.
            file.replace(content, file.mode())
            return msgspec.structs.replace(earlier, digest=client_file.digest(content))
        mode, folders = file.mode(), file.make_folders()
        backup = _free_name(file.path) if before is not None else None
        if backup and before is not None:
            client_file.replace(backup, before, mode)
        file.replace(content, mode)
        return Written(
            path=str(file.path),
            digest=client_file.digest(content),
            backup=str(backup or ""),
            mode=mode,
            folders=tuple(folders),
        )

    def _check_unchanged(self, one: Written) -> None:
        content = ClientFile(Path(one.path)).read()
        if content is None or client_file.digest(content) != one.digest:
            kept = f" Its previous content is in {one.backup}." if one.backup else ""
            raise FileRefused(one.path, f"It was changed since it was written here.{kept}")
        if one.backup and not Path(one.backup).is_file():
            raise FileRefused(one.path, f"Its backup {one.backup} no longer exists.")

    def _known(self) -> list[Written]:
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=list[Written])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError):
            raise FileRefused(self._record, "The record of what was written cannot be read.") from None

    def _remember(self, written: Iterable[Written]) -> None:
        self._record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps([msgspec.to_builtins(one) for one in written], indent=1)
        client_file.replace(self._record, text.encode(), _RECORD_MODE)


def _restore(one: Written) -> None:
    path = Path(one.path)
    if one.backup:
        client_file.replace(path, Path(one.backup).read_bytes(), one.mode)
        Path(one.backup).unlink()
        return
    path.unlink(missing_ok=True)
    for folder in map(Path, one.folders):
        if not folder.is_dir() or any(folder.iterdir()):
            break
        folder.rmdir()


def _free_name(path: Path) -> Path:
    """A name for a copy beside a file; raises FileRefused when there are too many."""
    names = [path.with_name(f"{path.name}.before-mlx{number or ''}") for number in range(_MOST_BACKUPS)]
    free = next((name for name in names if not name.exists()), None)
    if free is None:
        raise FileRefused(path, f"There are {_MOST_BACKUPS} backups of it; delete some.")
    return free
